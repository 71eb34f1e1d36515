//! A page of revocations as JSON, for those who ask over HTTP.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

#[cfg(feature = "remote-keys")]
use crate::{
    error::BoxError,
    revocation::{Revocation, RevocationCursor, RevocationKind},
};
use crate::{
    revocation::{RevocationEntry, RevocationPage},
    time::UnixTime,
};

#[derive(Deserialize, Serialize)]
struct Page<'a> {
    #[serde(borrow)]
    revocations: Vec<Entry<'a>>,
    /// From where to go on.
    next: Cow<'a, str>,
    /// Whether there is more already.
    more: bool,
}

#[derive(Deserialize, Serialize)]
struct Entry<'a> {
    kind: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    id: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cut_off: Option<u64>,
    until: u64,
    /// Milliseconds since it was written.
    age: u64,
}

/// The text of a page.
#[cfg(feature = "issue")]
pub(crate) fn write(page: &RevocationPage) -> Result<String, serde_json::Error> {
    fn entry(entry: &RevocationEntry) -> Entry<'_> {
        let revoked = &entry.revocation;
        Entry {
            kind: revoked.kind().name().into(),
            id: revoked.id().into(),
            cut_off: revoked.cut_off().map(UnixTime::as_secs),
            until: revoked.until().as_secs(),
            age: u64::try_from(entry.age.as_millis()).unwrap_or(u64::MAX),
        }
    }
    serde_json::to_string(&Page {
        revocations: page.entries.iter().map(entry).collect(),
        next: page.next.as_str().into(),
        more: page.has_more,
    })
}

/// What is not understood is an error, so that nothing that was revoked is passed over.
#[cfg(feature = "remote-keys")]
pub(super) fn read(text: &str) -> Result<RevocationPage, BoxError> {
    let page: Page<'_> = serde_json::from_str(text)?;
    let entry = |entry: Entry<'_>| {
        let kind = RevocationKind::of_name(&entry.kind);
        let kind = kind.ok_or_else(|| "a kind of revocation that is not known here".to_owned())?;
        let cut_off = entry.cut_off.map(UnixTime::from_secs);
        let revoked = Revocation::of(kind, &entry.id, cut_off, UnixTime::from_secs(entry.until));
        let revocation = revoked.ok_or_else(|| "a revocation without its cut-off".to_owned())?;
        Ok(RevocationEntry { revocation, age: std::time::Duration::from_millis(entry.age) })
    };
    let entries = page.revocations.into_iter().map(entry).collect::<Result<_, BoxError>>()?;
    let next = RevocationCursor::new(&page.next).ok_or("a cursor that is none")?;
    Ok(RevocationPage { entries, next, has_more: page.more })
}
