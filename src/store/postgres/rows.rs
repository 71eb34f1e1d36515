//! Rows and records.

use std::time::Duration;

use sqlx::{Decode, Postgres, Row as _, Type, postgres::PgRow};

use super::{
    super::values::{UNKNOWN, odd},
    feed::Present,
};
use crate::{
    crypto::Algorithm,
    issue::{
        ApplicationRecord, Door, FamilyId, FamilyRecord, Guess, GuessEntry, GuessRecord, KeyRecord,
        SecretRecord, StoreError,
    },
    revocation::{Revocation, RevocationEntry, RevocationKind},
    scope::ScopeSet,
    time::UnixTime,
};

/// The applications of rows that each have one of their secrets, in order.
pub(super) fn applications(rows: &[PgRow]) -> Result<Vec<ApplicationRecord>, StoreError> {
    let mut applications: Vec<ApplicationRecord> = Vec::new();
    for row in rows.iter().map(Fields) {
        let id: &str = row.get("id")?;
        if applications.last().is_none_or(|last| last.id != id) {
            applications.push(application(&row)?);
        }
        let secret = row.get::<Option<String>>("secret_id")?.map(|id| secret(&row, id));
        if let (Some(secret), Some(application)) = (secret, applications.last_mut()) {
            application.secrets.push(secret?);
        }
    }
    Ok(applications)
}

fn application(row: &Fields<'_>) -> Result<ApplicationRecord, StoreError> {
    Ok(ApplicationRecord {
        id: row.get("id")?,
        name: row.get("name")?,
        version: row.number("version")?,
        enabled: row.get("enabled")?,
        scopes: row.scopes("scopes")?,
        audiences: row.get("audiences")?,
        access_lifetime: row.optional("access_lifetime")?.map(Duration::from_secs),
        oauth_refresh: row.get("oauth_refresh")?,
        introspects: row.get("introspects")?,
        created_at: row.time("created_at")?,
        secrets: Vec::new(),
    })
}

fn secret(row: &Fields<'_>, id: String) -> Result<SecretRecord, StoreError> {
    Ok(SecretRecord {
        id,
        digest: row.get("digest")?,
        label: row.get("label")?,
        created_at: row.time("secret_created_at")?,
        expires_at: row.time("expires_at")?,
        last_used_at: row.optional_time("last_used_at")?,
    })
}

pub(super) fn family(row: &PgRow) -> Result<FamilyRecord, StoreError> {
    let row = Fields(row);
    let id: &[u8] = row.get("id")?;
    let door: &str = row.get("door")?;
    let grace_run: i64 = row.get("grace_run")?;
    Ok(FamilyRecord {
        id: FamilyId::from_bytes(id.try_into().map_err(|error| odd("id", error))?),
        application: row.get("application")?,
        secret: row.get("secret")?,
        door: Door::of_name(door).ok_or_else(|| odd("door", UNKNOWN))?,
        scopes: row.scopes("scopes")?,
        audience: row.get("audience")?,
        version: row.number("version")?,
        generation: row.number("generation")?,
        rotated_at: row.time("rotated_at")?,
        grace_used: row.get("grace_used")?,
        grace_run: grace_run.try_into().map_err(|error| odd("grace_run", error))?,
        opened_at: row.time("opened_at")?,
        expires_at: row.time("expires_at")?,
        revoked_at: row.optional_time("revoked_at")?,
    })
}

pub(super) fn key(row: &PgRow) -> Result<KeyRecord, StoreError> {
    let row = Fields(row);
    let algorithm: &str = row.get("algorithm")?;
    Ok(KeyRecord {
        id: row.get("id")?,
        algorithm: Algorithm::of_name(algorithm).ok_or_else(|| odd("algorithm", UNKNOWN))?,
        created_at: row.time("created_at")?,
        active_at: row.time("active_at")?,
        public: row.get("public")?,
        sealed: row.get("sealed")?,
        removed_at: row.optional_time("removed_at")?,
        reason: row.get("reason")?,
    })
}

fn revocation(row: &Fields<'_>) -> Result<Revocation, StoreError> {
    let kind = RevocationKind::of_name(row.get("kind")?).ok_or_else(|| odd("kind", UNKNOWN))?;
    let (cut_off, until) = (row.optional_time("cut_off")?, row.time("until")?);
    Revocation::of(kind, row.get("id")?, cut_off, until)
        .ok_or_else(|| odd("cut_off", "there is none"))
}

pub(super) fn present(row: &PgRow) -> Result<Present, StoreError> {
    let row = Fields(row);
    Ok(Present { epoch: row.get("epoch")?, horizon: row.get("horizon")? })
}

/// A revocation with its transaction and place.
type Placed = ((i64, i64), RevocationEntry);

/// What is in the row, if there is a revocation in it.
pub(super) fn placed(row: &PgRow) -> Result<Option<Placed>, StoreError> {
    let row = Fields(row);
    let Some(place) = row.get("place")? else {
        return Ok(None);
    };
    let age = Duration::from_millis(row.number("age")?);
    let entry = RevocationEntry { revocation: revocation(&row)?, age };
    Ok(Some(((row.get("transaction")?, place), entry)))
}

/// A record with its place.
pub(super) fn guess(row: &PgRow) -> Result<(u64, GuessEntry), StoreError> {
    let row = Fields(row);
    let hash = |column| row.get::<Option<i64>>(column).map(|hash| hash.map(i64::cast_unsigned));
    let (pair, source) = (hash("pair")?, hash("source")?);
    let times = u32::try_from(row.number("failures")?).map_err(|error| odd("failures", error))?;
    let guess = match (pair, source) {
        (Some(pair), Some(source)) if times == 0 => Guess::Succeeded { pair, source },
        _ => Guess::Failed { pair, source, times },
    };
    let record = GuessRecord { server: row.get::<i64>("server")?.cast_unsigned(), guess };
    let age = Duration::from_secs(row.number("age")?);
    Ok((row.number("place")?, GuessEntry { record, age }))
}

/// A row whose values may be anything.
struct Fields<'r>(&'r PgRow);

impl<'r> Fields<'r> {
    fn get<T: Decode<'r, Postgres> + Type<Postgres>>(
        &self,
        column: &'static str,
    ) -> Result<T, StoreError> {
        self.0.try_get(column).map_err(|error| odd(column, error))
    }

    fn number(&self, column: &'static str) -> Result<u64, StoreError> {
        let number: i64 = self.get(column)?;
        u64::try_from(number).map_err(|error| odd(column, error))
    }

    fn optional(&self, column: &'static str) -> Result<Option<u64>, StoreError> {
        let number: Option<i64> = self.get(column)?;
        number.map(u64::try_from).transpose().map_err(|error| odd(column, error))
    }

    fn time(&self, column: &'static str) -> Result<UnixTime, StoreError> {
        self.number(column).map(UnixTime::from_secs)
    }

    fn optional_time(&self, column: &'static str) -> Result<Option<UnixTime>, StoreError> {
        self.optional(column).map(|time| time.map(UnixTime::from_secs))
    }

    fn scopes(&self, column: &'static str) -> Result<ScopeSet, StoreError> {
        ScopeSet::parse(self.get(column)?).map_err(|error| odd(column, error))
    }
}
