//! Rows and records.

use std::time::Duration;

use sqlx::{Decode, Row as _, Sqlite, Type, sqlite::SqliteRow};

use super::super::values::{UNKNOWN, odd};
use crate::{
    crypto::Algorithm,
    issue::{ApplicationRecord, Door, FamilyId, FamilyRecord, KeyRecord, SecretRecord, StoreError},
    revocation::{Revocation, RevocationEntry, RevocationKind},
    scope::ScopeSet,
    time::UnixTime,
};

pub(super) fn list(texts: &[String]) -> Result<String, StoreError> {
    serde_json::to_string(texts).map_err(|error| StoreError::new("a list was stored", error))
}

/// The applications of rows that each have one of their secrets, in order.
pub(super) fn applications(rows: &[SqliteRow]) -> Result<Vec<ApplicationRecord>, StoreError> {
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
        enabled: row.flag("enabled")?,
        scopes: row.scopes("scopes")?,
        audiences: row.list("audiences")?,
        access_lifetime: row.optional("access_lifetime")?.map(Duration::from_secs),
        oauth_refresh: row.flag("oauth_refresh")?,
        introspects: row.flag("introspects")?,
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

pub(super) fn family(row: &SqliteRow) -> Result<FamilyRecord, StoreError> {
    let row = Fields(row);
    let id: &[u8] = row.get("id")?;
    let door: &str = row.get("door")?;
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
        grace_used: row.flag("grace_used")?,
        grace_run: row.get("grace_run")?,
        opened_at: row.time("opened_at")?,
        expires_at: row.time("expires_at")?,
        revoked_at: row.optional_time("revoked_at")?,
    })
}

pub(super) fn key(row: &SqliteRow) -> Result<KeyRecord, StoreError> {
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

/// The epoch of the file, and the last place that was given.
pub(super) fn feed(row: &SqliteRow) -> Result<(&str, i64), StoreError> {
    let row = Fields(row);
    Ok((row.get("epoch")?, row.get("last")?))
}

/// A revocation and its place, if there is one in the row.
pub(super) fn placed(row: &SqliteRow) -> Result<Option<(i64, RevocationEntry)>, StoreError> {
    let row = Fields(row);
    let Some(place) = row.get("place")? else {
        return Ok(None);
    };
    let age = Duration::from_millis(row.number("age")?);
    Ok(Some((place, RevocationEntry { revocation: revocation(&row)?, age })))
}

/// A row whose values may be anything.
struct Fields<'r>(&'r SqliteRow);

impl<'r> Fields<'r> {
    fn get<T: Decode<'r, Sqlite> + Type<Sqlite>>(
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

    fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        match self.get::<i64>(column)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(odd(column, "neither 0 nor 1")),
        }
    }

    fn scopes(&self, column: &'static str) -> Result<ScopeSet, StoreError> {
        ScopeSet::parse(self.get(column)?).map_err(|error| odd(column, error))
    }

    fn list(&self, column: &'static str) -> Result<Vec<String>, StoreError> {
        serde_json::from_str(self.get(column)?).map_err(|error| odd(column, error))
    }
}
