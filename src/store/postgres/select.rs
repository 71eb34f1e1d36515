//! The reads.

use sqlx::{Postgres, postgres::PgArguments};

use super::super::values::{count, time};
use crate::{
    issue::{FamilyId, StoreError},
    time::UnixTime,
};

/// One statement with its arguments.
pub(super) type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// Families. Columns are named, so that one more does not change what a prepared statement gives.
macro_rules! families {
    ($which:literal) => {
        concat!(
            "SELECT id, application, secret, door, scopes, audience, version, generation, ",
            "rotated_at, grace_used, grace_run, opened_at, expires_at, revoked_at FROM family ",
            $which
        )
    };
}

/// Applications with their secrets, in one statement.
macro_rules! applications {
    ($which:literal) => {
        concat!(
            "SELECT a.id, a.name, a.version, a.enabled, a.scopes, a.audiences, a.access_lifetime, ",
            "a.oauth_refresh, a.introspects, a.created_at, s.id AS secret_id, s.digest, s.label, ",
            "s.created_at AS secret_created_at, s.expires_at, s.last_used_at FROM ",
            $which,
            " AS a LEFT JOIN secret AS s ON s.application = a.id ORDER BY a.id, s.position"
        )
    };
}

pub(super) fn application(id: &str) -> Query<'_> {
    sqlx::query(applications!("(SELECT * FROM application WHERE id = $1)")).bind(id)
}

pub(super) fn application_named(name: &str) -> Query<'_> {
    sqlx::query(applications!("(SELECT * FROM application WHERE name = $1)")).bind(name)
}

pub(super) fn applications(after: Option<&str>, limit: usize) -> Query<'_> {
    let query = match after {
        None => sqlx::query(applications!("(SELECT * FROM application ORDER BY id LIMIT $1)")),
        Some(_) => sqlx::query(applications!(
            "(SELECT * FROM application WHERE id > $2 ORDER BY id LIMIT $1)"
        )),
    };
    let query = query.bind(count(limit));
    match after {
        None => query,
        Some(after) => query.bind(after),
    }
}

pub(super) fn family(id: &FamilyId) -> Query<'_> {
    sqlx::query(families!("WHERE id = $1")).bind(&id.as_bytes()[..])
}

pub(super) fn families(after: Option<FamilyId>, limit: usize) -> Query<'static> {
    let after = after.map(|id| id.as_bytes().to_vec());
    // The empty text is before every id.
    sqlx::query(families!("WHERE id > $1 ORDER BY id LIMIT $2"))
        .bind(after.unwrap_or_default())
        .bind(count(limit))
}

pub(super) fn live_families(
    application: &str,
    now: UnixTime,
    skip: usize,
    limit: usize,
) -> Result<Query<'_>, StoreError> {
    let live = families!(
        "WHERE application = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY opened_at DESC, id LIMIT $3 OFFSET $4"
    );
    Ok(sqlx::query(live).bind(application).bind(time(now)?).bind(count(limit)).bind(count(skip)))
}

pub(super) fn signing_keys() -> Query<'static> {
    sqlx::query(
        "SELECT id, algorithm, created_at, active_at, public, sealed, removed_at, reason \
        FROM signing_key ORDER BY active_at, id",
    )
}
