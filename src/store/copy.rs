use std::fmt;

use crate::issue::{Applied, Store, StoreError, Write};

/// How much was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// Applications, with their secrets.
    pub applications: u64,
    /// Refresh families, ended ones too.
    pub families: u64,
    /// Signing keys, removed ones too.
    pub signing_keys: u64,
    /// Revocations.
    pub revocations: u64,
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { applications, families, signing_keys, revocations } = self;
        write!(
            f,
            "{applications} applications, {families} families, {signing_keys} signing keys, {revocations} revocations"
        )
    }
}

/// Why a store was not copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// There is something in the store that was to be filled.
    #[error("the store to fill is not empty: copy into one with nothing in it")]
    NotEmpty,
    /// One of the two was written to meanwhile, as far as that shows.
    #[error(
        "one of the stores was written to meanwhile: stop all servers of both, and copy into an empty store"
    )]
    Changed,
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How many rows are read at a time.
const AT_ONCE: usize = 1000;
/// How many rows are written in one step.
const WRITTEN_AT_ONCE: usize = 100;

/// Copies everything from one store into another one with nothing in it, such as from a file to a
/// database. Tokens that were issued stay good, and what was revoked stays revoked.
///
/// Stop the servers of both while it works: nobody may be given a token of the old store that the new
/// one does not know of. Services that only verify go on; their feeds read everything from the new store
/// when they are pointed at it. The server keys are no part of a store, and stay the same.
///
/// ```
/// use tower_bearer::store::{self, Memory};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let old = Memory::new();
/// let new = Memory::new(); // or `Postgres::connect(..)`, from `Sqlite::open(..)`
/// let copied = store::copy(&old, &new).await?;
/// println!("{copied}"); // 12 applications, 3417 families, ..
/// # assert_eq!(copied, store::Copied::default());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`CopyError`]. What was copied until then stays, so that the next attempt needs an empty store again.
pub async fn copy(from: &dyn Store, to: &dyn Store) -> Result<Copied, CopyError> {
    let is_empty = to.applications(None, 1).await?.is_empty()
        && to.signing_keys().await?.is_empty()
        && to.revocations_after(None, 1).await?.entries.is_empty();
    if !is_empty {
        return Err(CopyError::NotEmpty);
    }
    // First what refuses, so that a copy that ends early accepts nothing that was revoked; and once
    // more at the end, for what was revoked meanwhile.
    revocations(from, to).await?;
    Ok(Copied {
        signing_keys: signing_keys(from, to).await?,
        applications: applications(from, to).await?,
        families: families(from, to).await?,
        revocations: revocations(from, to).await?,
    })
}

async fn put(to: &dyn Store, writes: Vec<Write>) -> Result<(), CopyError> {
    let mut writes = writes.into_iter();
    loop {
        let some: Vec<_> = writes.by_ref().take(WRITTEN_AT_ONCE).collect();
        if some.is_empty() {
            return Ok(());
        }
        if to.apply(some).await? == Applied::Conflict {
            return Err(CopyError::Changed);
        }
    }
}

async fn revocations(from: &dyn Store, to: &dyn Store) -> Result<u64, CopyError> {
    let (mut count, mut cursor) = (0, None);
    loop {
        let page = from.revocations_after(cursor.as_ref(), AT_ONCE).await?;
        count += page.entries.len() as u64;
        let writes = page.entries.into_iter().map(|entry| Write::Revoke(entry.revocation));
        put(to, writes.collect()).await?;
        if !page.has_more {
            return Ok(count);
        }
        cursor = Some(page.next);
    }
}

async fn signing_keys(from: &dyn Store, to: &dyn Store) -> Result<u64, CopyError> {
    let mut last = None;
    let keys = from.signing_keys().await?;
    let count = keys.len() as u64;
    let writes = keys.into_iter().map(|key| {
        let id = key.id.clone();
        Write::InsertKey { key, last: last.replace(id) }
    });
    put(to, writes.collect()).await?;
    Ok(count)
}

async fn applications(from: &dyn Store, to: &dyn Store) -> Result<u64, CopyError> {
    let (mut count, mut after) = (0, None::<String>);
    loop {
        let applications = from.applications(after.as_deref(), AT_ONCE).await?;
        let Some(last) = applications.last() else {
            return Ok(count);
        };
        after = Some(last.id.clone());
        count += applications.len() as u64;
        put(to, applications.into_iter().map(Write::InsertApplication).collect()).await?;
    }
}

async fn families(from: &dyn Store, to: &dyn Store) -> Result<u64, CopyError> {
    let (mut count, mut after) = (0, None);
    loop {
        let families = from.families(after, AT_ONCE).await?;
        let Some(last) = families.last() else {
            return Ok(count);
        };
        after = Some(last.id);
        count += families.len() as u64;
        let mut writes = Vec::with_capacity(families.len());
        for family in families {
            let application = from.application(&family.application).await?;
            let application = application.ok_or(CopyError::Changed)?;
            let application_version = application.version;
            writes.push(Write::InsertFamily { family, application_version });
        }
        put(to, writes).await?;
    }
}
