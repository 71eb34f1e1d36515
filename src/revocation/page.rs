use std::{fmt, time::Duration};

use super::entry::Revocation;

/// A place in the order in which a store keeps what was revoked.
///
/// Only the store that gave it knows what it says: at most 256 ASCII letters, digits, `-`, `.` and `_`,
/// so that it can be part of a URL.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RevocationCursor(Box<str>);

impl RevocationCursor {
    const MAX_LEN: usize = 256;

    /// The cursor of this text; `None` if it is none of any store.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_cursor = (1..=Self::MAX_LEN).contains(&text.len()) && text.bytes().all(is_allowed);
        is_cursor.then(|| Self(text.into()))
    }

    /// The cursor of a store of ours, which is in the form of one.
    #[cfg(feature = "issue")]
    pub(crate) fn of(text: fmt::Arguments<'_>) -> Self {
        Self(text.to_string().into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RevocationCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevocationCursor({})", self.0)
    }
}

/// Some of what was revoked, in the order of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationPage {
    /// What was revoked.
    pub entries: Vec<RevocationEntry>,
    /// From where to go on.
    pub next: RevocationCursor,
    /// Whether there is more already.
    pub has_more: bool,
}

/// Something that was revoked, and how long ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationEntry {
    /// What was revoked.
    pub revocation: Revocation,
    /// How long ago it was written when it was read, by the clock of the store.
    pub age: Duration,
}
