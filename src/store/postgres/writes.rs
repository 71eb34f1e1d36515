//! The writes, each with its condition.
//!
//! Whoever needs an application to stay as it is locks its row first (`FOR KEY SHARE`), and whoever
//! changes one locks it against those (`FOR UPDATE`): everybody takes the application's lock before any
//! other, so that nobody waits in a circle.

use sqlx::{PgConnection, Row as _};

use super::{
    super::values::{count, integer, lifetime, optional_time, time},
    error::{Fault, is_taken},
    select::Query,
};
use crate::{
    issue::{ApplicationRecord, FamilyRecord, KeyRecord, Past, StoreError, Write},
    revocation::Revocation,
};

/// Does one write; false if its condition does not hold. What it has done then is undone by the
/// caller.
pub(super) async fn write(conn: &mut PgConnection, write: &Write) -> Result<bool, Fault> {
    match write {
        Write::InsertApplication(new) => {
            Ok(changes(conn, insert_application(new)?).await? && put_secrets(conn, new).await?)
        }
        Write::ReplaceApplication(new) => replace_application(conn, new).await,
        Write::DeleteApplication { id, version } => {
            // Its secrets and families go with it, by their foreign keys.
            let delete = sqlx::query("DELETE FROM application WHERE id = $1 AND version = $2");
            changes(conn, delete.bind(id).bind(integer(*version)?)).await
        }
        Write::SecretUsed { application, secret, at } => {
            let used = "WITH owner AS (SELECT id FROM application WHERE id = $2 FOR KEY SHARE) \
                UPDATE secret SET last_used_at = $1 FROM owner \
                WHERE secret.application = owner.id AND secret.id = $3 \
                AND (last_used_at IS NULL OR last_used_at < $1)";
            let used = sqlx::query(used).bind(time(*at)?).bind(application).bind(secret);
            changes(conn, used).await.map(|_| true)
        }
        Write::InsertFamily { family, application_version } => {
            changes(conn, insert_family(family, *application_version)?).await
        }
        Write::ReplaceFamily(new) => changes(conn, replace_family(new)?).await,
        Write::EndFamilies { application, secret, at } => {
            // Locked in one order, so that two who end the same families do not wait for each other.
            let end = "WITH owner AS (SELECT id FROM application WHERE id = $2 FOR KEY SHARE), \
                ended AS (SELECT family.id FROM owner JOIN family ON application = owner.id \
                WHERE revoked_at IS NULL AND ($3::text IS NULL OR secret = $3) \
                ORDER BY family.id FOR UPDATE OF family) \
                UPDATE family SET revoked_at = $1, version = version + 1 \
                FROM ended WHERE family.id = ended.id";
            let end = sqlx::query(end).bind(time(*at)?).bind(application).bind(secret.as_deref());
            changes(conn, end).await.map(|_| true)
        }
        Write::InsertKey { key, last } => {
            // One at a time, as the condition is about all of them. Reads go on.
            sqlx::query("LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE")
                .execute(&mut *conn)
                .await?;
            Ok(last_key(conn).await? == *last && changes(conn, insert_key(key)?).await?)
        }
        Write::ReplaceKey(key) => changes(conn, replace_key(key)?).await,
        Write::Revoke(revocation) => changes(conn, revoke(revocation)?).await.map(|_| true),
    }
}

/// Whether the writes are one statement, which needs no transaction around it.
pub(super) fn is_one_statement(writes: &[Write]) -> bool {
    matches!(
        writes,
        [Write::DeleteApplication { .. }
            | Write::SecretUsed { .. }
            | Write::InsertFamily { .. }
            | Write::ReplaceFamily(_)
            | Write::EndFamilies { .. }
            | Write::ReplaceKey(_)
            | Write::Revoke(_)]
    )
}

/// Whether a statement changes anything.
async fn changes(conn: &mut PgConnection, query: Query<'_>) -> Result<bool, Fault> {
    match query.execute(conn).await {
        Ok(done) => Ok(done.rows_affected() > 0),
        // A name that another transaction took while this one waited for it.
        Err(error) if is_taken(&error) => Err(Fault::Conflict),
        Err(error) => Err(error.into()),
    }
}

fn insert_application(new: &ApplicationRecord) -> Result<Query<'_>, StoreError> {
    let insert = "INSERT INTO application (id, name, version, enabled, scopes, audiences, \
        access_lifetime, oauth_refresh, introspects, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
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
        .bind(&new.audiences)
        .bind(lifetime(new.access_lifetime)?)
        .bind(new.oauth_refresh)
        .bind(new.introspects)
        .bind(time(new.created_at)?))
}

async fn replace_application(
    conn: &mut PgConnection,
    new: &ApplicationRecord,
) -> Result<bool, Fault> {
    let replace = "WITH old AS (SELECT id FROM application WHERE id = $1 AND version = $3 - 1 \
        FOR UPDATE) \
        UPDATE application SET name = $2, version = $3, enabled = $4, scopes = $5, \
        audiences = $6, access_lifetime = $7, oauth_refresh = $8, introspects = $9, \
        created_at = $10 FROM old WHERE application.id = old.id \
        AND NOT EXISTS (SELECT 1 FROM application WHERE name = $2 AND id <> $1)";
    if !changes(conn, bind_application(sqlx::query(replace), new)?).await? {
        return Ok(false);
    }
    let kept: Vec<_> = new.secrets.iter().map(|secret| secret.id.as_str()).collect();
    let delete = sqlx::query("DELETE FROM secret WHERE application = $1 AND id <> ALL ($2)");
    changes(conn, delete.bind(&new.id).bind(kept)).await?;
    put_secrets(conn, new).await
}

/// Adds the secrets, or changes them. Their last use may have been noted since the record was read.
async fn put_secrets(conn: &mut PgConnection, new: &ApplicationRecord) -> Result<bool, Fault> {
    let put = "INSERT INTO secret (application, id, position, digest, label, created_at, \
        expires_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
        ON CONFLICT (application, id) DO UPDATE SET position = excluded.position, \
        digest = excluded.digest, label = excluded.label, created_at = excluded.created_at, \
        expires_at = excluded.expires_at, \
        last_used_at = greatest(secret.last_used_at, excluded.last_used_at)";
    for (position, secret) in new.secrets.iter().enumerate() {
        let put = sqlx::query(put)
            .bind(&new.id)
            .bind(&secret.id)
            .bind(count(position))
            .bind(&secret.digest)
            .bind(&secret.label)
            .bind(time(secret.created_at)?)
            .bind(time(secret.expires_at)?)
            .bind(optional_time(secret.last_used_at)?);
        changes(conn, put).await?;
    }
    Ok(true)
}

fn insert_family(new: &FamilyRecord, version: u64) -> Result<Query<'_>, StoreError> {
    let insert = "INSERT INTO family (id, application, secret, door, scopes, audience, version, \
        generation, rotated_at, grace_used, grace_run, opened_at, expires_at, revoked_at) \
        SELECT $1, owner.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 \
        FROM (SELECT id FROM application WHERE id = $2 AND version = $15 FOR KEY SHARE) AS owner \
        ON CONFLICT DO NOTHING";
    Ok(bind_family(sqlx::query(insert), new)?.bind(integer(version)?))
}

fn replace_family(new: &FamilyRecord) -> Result<Query<'_>, StoreError> {
    let replace = "UPDATE family SET application = $2, secret = $3, door = $4, scopes = $5, \
        audience = $6, version = $7, generation = $8, rotated_at = $9, grace_used = $10, \
        grace_run = $11, opened_at = $12, expires_at = $13, revoked_at = $14 \
        WHERE id = $1 AND version = $7 - 1";
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
        .bind(i64::from(new.grace_run))
        .bind(time(new.opened_at)?)
        .bind(time(new.expires_at)?)
        .bind(optional_time(new.revoked_at)?))
}

/// The id of the last signing key.
async fn last_key(conn: &mut PgConnection) -> Result<Option<String>, Fault> {
    let last = "SELECT id FROM signing_key ORDER BY active_at DESC, id DESC LIMIT 1";
    let row = sqlx::query(last).fetch_optional(conn).await?;
    Ok(row.map(|row| row.try_get("id")).transpose()?)
}

fn insert_key(new: &KeyRecord) -> Result<Query<'_>, StoreError> {
    let insert = "INSERT INTO signing_key (id, algorithm, created_at, active_at, public, sealed, \
        removed_at, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    bind_key(sqlx::query(insert), new)
}

fn replace_key(new: &KeyRecord) -> Result<Query<'_>, StoreError> {
    let replace = "UPDATE signing_key SET algorithm = $2, created_at = $3, active_at = $4, \
        public = $5, sealed = $6, removed_at = $7, reason = $8 WHERE id = $1 \
        AND (removed_at IS NULL OR $7::bigint IS NOT NULL) \
        AND (sealed IS NOT NULL OR $6::bytea IS NULL)";
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

/// One that is there never moves back in the order: whoever reads it page by page would pass it over.
fn revoke(new: &Revocation) -> Result<Query<'_>, StoreError> {
    let revoke = "INSERT INTO revocation (kind, id, cut_off, until) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (kind, id) DO UPDATE SET \
        cut_off = greatest(revocation.cut_off, excluded.cut_off), \
        until = greatest(revocation.until, excluded.until), \
        transaction = greatest(revocation.transaction, excluded.transaction), place = excluded.place, \
        written_at = excluded.written_at";
    Ok(sqlx::query(revoke)
        .bind(new.kind().name())
        .bind(new.id())
        .bind(optional_time(new.cut_off())?)
        .bind(time(new.until())?))
}

/// Forgets what is over; returns how many rows that were. Several servers may do so at once: each
/// takes rows that nobody else has in hand.
pub(super) async fn purge(conn: &mut PgConnection, past: Past, limit: usize) -> Result<u64, Fault> {
    // Keys first, as whoever adds one has their lock before any other.
    let keys = "DELETE FROM signing_key WHERE ctid = ANY (ARRAY(SELECT ctid FROM signing_key \
        WHERE removed_at < $1 AND id <> \
        (SELECT id FROM signing_key ORDER BY active_at DESC, id DESC LIMIT 1) \
        LIMIT $2 FOR UPDATE SKIP LOCKED))";
    let families = "DELETE FROM family WHERE ctid = ANY (ARRAY(SELECT ctid FROM family \
        WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))";
    let revocations = "DELETE FROM revocation WHERE ctid = ANY (ARRAY(SELECT ctid \
        FROM revocation WHERE until < $1 ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED))";
    let mut forgotten = 0;
    for (delete, before) in [
        (keys, past.keys_before),
        (families, past.families_before),
        (revocations, past.revocations_before),
    ] {
        let delete = sqlx::query(delete).bind(time(before)?).bind(count(limit));
        forgotten += delete.execute(&mut *conn).await?.rows_affected();
    }
    Ok(forgotten)
}
