use std::{sync::Arc, time::Duration};

use super::error::RefreshError;
use crate::time::UnixTime;

/// How the keys of an issuer are doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Readiness {
    /// The issuer that is configured.
    pub issuer: Arc<str>,
    /// How many keys can be used now.
    pub keys: usize,
    /// When the keys were fetched, or found to be the same, last.
    pub last_success: Option<UnixTime>,
    /// Until when they may be used.
    pub usable_until: Option<UnixTime>,
    /// Why the last attempt failed, if it did.
    pub last_error: Option<Arc<RefreshError>>,
}

impl Readiness {
    /// How long ago the keys were fetched.
    #[must_use]
    pub fn age(&self, now: UnixTime) -> Option<Duration> {
        self.last_success.map(|last_success| now.since(last_success))
    }
}
