//! The writes, each with its condition.

use sqlx::{Row as _, SqliteConnection};

use super::{
    super::values::{count, integer, lifetime, optional_time, time},
    error::Fault,
    rows::list,
    select::Query,
};
use crate::{
    issue::{ApplicationRecord, FamilyRecord, KeyRecord, Past, StoreError, Write},
    revocation::Revocation,
};

/// Does one write; false if its condition does not hold. What it has done then is undone by the
/// caller.
pub(super) async fn write(conn: &mut SqliteConnection, write: &Write) -> Result<bool, Fault> {
    match write {
        Write::InsertApplication(new) => Ok(changes(conn, insert_application(new)?).await?
            && insert_secrets(conn, new, &[]).await?),
        Write::ReplaceApplication(new) => replace_application(conn, new).await,
        Write::DeleteApplication { id, version } => {
            // Its secrets and families go with it, by their foreign keys.
            let delete = sqlx::query("DELETE FROM application WHERE id = ?1 AND version = ?2");
            changes(conn, delete.bind(id).bind(integer(*version)?)).await
        }
        Write::SecretUsed { application, secret, at } => {
            let used = "UPDATE secret SET last_used_at = ?1 WHERE application = ?2 AND id = ?3 \
                AND (last_used_at IS NULL OR last_used_at < ?1)";
            let used = sqlx::query(used).bind(time(*at)?).bind(application).bind(secret);
            changes(conn, used).await.map(|_| true)
        }
        Write::InsertFamily { family, application_version } => {
            changes(conn, insert_family(family, *application_version)?).await
        }
        Write::ReplaceFamily(new) => changes(conn, replace_family(new)?).await,
        Write::EndFamilies { application, secret, at } => {
            let end = "UPDATE family SET revoked_at = ?1, version = version + 1 \
                WHERE application = ?2 AND revoked_at IS NULL AND (?3 IS NULL OR secret = ?3)";
            let end = sqlx::query(end).bind(time(*at)?).bind(application).bind(secret.as_deref());
            changes(conn, end).await.map(|_| true)
        }
        Write::InsertKey { key, last } => {
            Ok(last_key(conn).await? == *last && changes(conn, insert_key(key)?).await?)
        }
        Write::ReplaceKey(key) => changes(conn, replace_key(key)?).await,
        Write::Revoke(revocation) => {
            changes(conn, sqlx::query("UPDATE feed SET last = last + 1")).await?;
            changes(conn, revoke(revocation)?).await.map(|_| true)
        }
    }
}

/// Whether a statement changes anything.
async fn changes(conn: &mut SqliteConnection, query: Query<'_>) -> Result<bool, Fault> {
    Ok(query.execute(conn).await?.rows_affected() > 0)
}

fn insert_application(new: &ApplicationRecord) -> Result<Query<'_>, StoreError> {
    let insert = "INSERT INTO application (id, name, version, enabled, scopes, audiences, \
        access_lifetime, oauth_refresh, introspects, created_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING";
    bind_application(sqlx::query(insert), new)
}

fn bind_application<'q>(
    query: Query<'q>,
    new: &'q ApplicationRecord,
) -> Result<Query<'q>, StoreError> {
    Ok(query
        .bind(&new.id)
        .bind(&new.name)
        .bind(integer(new.version)?)
        .bind(new.enabled)
        .bind(new.scopes.to_string())
        .bind(list(&new.audiences)?)
        .bind(lifetime(new.access_lifetime)?)
        .bind(new.oauth_refresh)
        .bind(new.introspects)
        .bind(time(new.created_at)?))
}

async fn replace_application(
    conn: &mut SqliteConnection,
    new: &ApplicationRecord,
) -> Result<bool, Fault> {
    let replace = "UPDATE application SET name = ?2, version = ?3, enabled = ?4, scopes = ?5, \
        audiences = ?6, access_lifetime = ?7, oauth_refresh = ?8, introspects = ?9, \
        created_at = ?10 WHERE id = ?1 AND version = ?3 - 1 \
        AND NOT EXISTS (SELECT 1 FROM application WHERE name = ?2 AND id <> ?1)";
    if !changes(conn, bind_application(sqlx::query(replace), new)?).await? {
        return Ok(false);
    }
    let used = last_uses(conn, &new.id).await?;
    let delete = sqlx::query("DELETE FROM secret WHERE application = ?1").bind(&new.id);
    changes(conn, delete).await?;
    insert_secrets(conn, new, &used).await
}

/// When each secret of an application was last used.
async fn last_uses(
    conn: &mut SqliteConnection,
    application: &str,
) -> Result<Vec<(String, Option<i64>)>, Fault> {
    let uses = sqlx::query("SELECT id, last_used_at FROM secret WHERE application = ?1");
    let rows = uses.bind(application).fetch_all(conn).await?;
    let uses = rows.iter().map(|row| Ok((row.try_get("id")?, row.try_get("last_used_at")?)));
    uses.collect::<Result<_, sqlx::Error>>().map_err(|error| unreadable(error).into())
}

/// Adds the secrets, whose last use may have been noted since the record was read.
async fn insert_secrets(
    conn: &mut SqliteConnection,
    new: &ApplicationRecord,
    used: &[(String, Option<i64>)],
) -> Result<bool, Fault> {
    let insert = "INSERT INTO secret (application, id, position, digest, label, created_at, \
        expires_at, last_used_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    for (position, secret) in new.secrets.iter().enumerate() {
        let noted = used.iter().find(|(id, _)| *id == secret.id).and_then(|(_, at)| *at);
        let insert = sqlx::query(insert)
            .bind(&new.id)
            .bind(&secret.id)
            .bind(count(position))
            .bind(&secret.digest)
            .bind(&secret.label)
            .bind(time(secret.created_at)?)
            .bind(time(secret.expires_at)?)
            .bind(optional_time(secret.last_used_at)?.max(noted));
        changes(conn, insert).await?;
    }
    Ok(true)
}

fn insert_family(new: &FamilyRecord, version: u64) -> Result<Query<'_>, StoreError> {
    let insert = "INSERT INTO family (id, application, secret, door, scopes, audience, version, \
        generation, rotated_at, grace_used, grace_run, opened_at, expires_at, revoked_at) \
        SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14 \
        WHERE EXISTS (SELECT 1 FROM application WHERE id = ?2 AND version = ?15) \
        ON CONFLICT DO NOTHING";
    Ok(bind_family(sqlx::query(insert), new)?.bind(integer(version)?))
}

fn replace_family(new: &FamilyRecord) -> Result<Query<'_>, StoreError> {
    let replace = "UPDATE family SET application = ?2, secret = ?3, door = ?4, scopes = ?5, \
        audience = ?6, version = ?7, generation = ?8, rotated_at = ?9, grace_used = ?10, \
        grace_run = ?11, opened_at = ?12, expires_at = ?13, revoked_at = ?14 \
        WHERE id = ?1 AND version = ?7 - 1";
    bind_family(sqlx::query(replace), new)
}

fn bind_family<'q>(query: Query<'q>, new: &'q FamilyRecord) -> Result<Query<'q>, StoreError> {
    Ok(query
        .bind(&new.id.as_bytes()[..])
        .bind(&new.application)
        .bind(&new.secret)
        .bind(new.door.name())
        .bind(new.scopes.to_string())
        .bind(&new.audience)
        .bind(integer(new.version)?)
        .bind(integer(new.generation)?)
        .bind(time(new.rotated_at)?)
        .bind(new.grace_used)
        .bind(new.grace_run)
        .bind(time(new.opened_at)?)
        .bind(time(new.expires_at)?)
        .bind(optional_time(new.revoked_at)?))
}

/// The id of the last signing key.
async fn last_key(conn: &mut SqliteConnection) -> Result<Option<String>, Fault> {
    let last = "SELECT id FROM signing_key ORDER BY active_at DESC, id DESC LIMIT 1";
    match sqlx::query(last).fetch_optional(conn).await? {
        Some(row) => row.try_get("id").map(Some).map_err(|error| unreadable(error).into()),
        None => Ok(None),
    }
}

fn insert_key(new: &KeyRecord) -> Result<Query<'_>, StoreError> {
    let insert = "INSERT INTO signing_key (id, algorithm, created_at, active_at, public, sealed, \
        removed_at, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
    bind_key(sqlx::query(insert), new)
}

fn replace_key(new: &KeyRecord) -> Result<Query<'_>, StoreError> {
    let replace = "UPDATE signing_key SET algorithm = ?2, created_at = ?3, active_at = ?4, \
        public = ?5, sealed = ?6, removed_at = ?7, reason = ?8 WHERE id = ?1 \
        AND (removed_at IS NULL OR ?7 IS NOT NULL) AND (sealed IS NOT NULL OR ?6 IS NULL)";
    bind_key(sqlx::query(replace), new)
}

fn bind_key<'q>(query: Query<'q>, new: &'q KeyRecord) -> Result<Query<'q>, StoreError> {
    Ok(query
        .bind(&new.id)
        .bind(new.algorithm.name())
        .bind(time(new.created_at)?)
        .bind(time(new.active_at)?)
        .bind(new.public.as_deref())
        .bind(new.sealed.as_deref())
        .bind(optional_time(new.removed_at)?)
        .bind(&new.reason))
}

fn revoke(new: &Revocation) -> Result<Query<'_>, StoreError> {
    let revoke = "INSERT INTO revocation (kind, id, cut_off, until, place, written_at) \
        VALUES (?1, ?2, ?3, ?4, (SELECT last FROM feed), \
        CAST(unixepoch('subsec') * 1000 AS INTEGER)) \
        ON CONFLICT DO UPDATE SET cut_off = max(cut_off, excluded.cut_off), \
        until = max(until, excluded.until), place = excluded.place, \
        written_at = excluded.written_at";
    Ok(sqlx::query(revoke)
        .bind(new.kind().name())
        .bind(new.id())
        .bind(optional_time(new.cut_off())?)
        .bind(time(new.until())?))
}

/// Forgets what is over; returns how many rows that were.
pub(super) async fn purge(
    conn: &mut SqliteConnection,
    past: Past,
    limit: usize,
) -> Result<u64, Fault> {
    let families = "DELETE FROM family WHERE id IN \
        (SELECT id FROM family WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)";
    let revocations = "DELETE FROM revocation WHERE (kind, id) IN \
        (SELECT kind, id FROM revocation WHERE until < ?1 ORDER BY until LIMIT ?2)";
    let keys = "DELETE FROM signing_key WHERE id IN (SELECT id FROM signing_key \
        WHERE removed_at < ?1 AND id <> \
        (SELECT id FROM signing_key ORDER BY active_at DESC, id DESC LIMIT 1) LIMIT ?2)";
    let mut forgotten = 0;
    for (delete, before) in [
        (families, past.families_before),
        (revocations, past.revocations_before),
        (keys, past.keys_before),
    ] {
        let delete = sqlx::query(delete).bind(time(before)?).bind(count(limit));
        forgotten += delete.execute(&mut *conn).await?.rows_affected();
    }
    Ok(forgotten)
}

fn unreadable(error: sqlx::Error) -> StoreError {
    StoreError::new("a stored value was read", error)
}
