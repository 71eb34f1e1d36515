use std::collections::HashMap;

use crate::time::UnixTime;

/// Up to when the tokens of the issuer, and of each client, are revoked.
#[derive(Clone, Default)]
pub(super) struct CutOffs {
    issuer: Option<CutOff>,
    clients: HashMap<Box<str>, CutOff, foldhash::fast::RandomState>,
}

/// One cut-off.
#[derive(Clone, Copy, Default)]
pub(super) struct CutOff {
    /// The latest `iat` that is revoked.
    pub(super) latest: UnixTime,
    /// Until when it is kept.
    pub(super) until: UnixTime,
}

impl CutOffs {
    pub(super) fn add_issuer(&mut self, cut_off: CutOff) {
        self.issuer.get_or_insert_default().raise(cut_off);
    }

    pub(super) fn add_client(&mut self, client: Box<str>, cut_off: CutOff) {
        self.clients.entry(client).or_default().raise(cut_off);
    }

    /// The latest `iat` that is revoked for this client, or for all.
    pub(super) fn latest(&self, client: Option<&str>) -> Option<UnixTime> {
        let own = client.and_then(|client| self.clients.get(client));
        // Nothing is less than any time.
        own.map(|own| own.latest).max(self.issuer.map(|all| all.latest))
    }

    /// Forgets the cut-offs that are past their time.
    pub(super) fn purge(&mut self, now: UnixTime) {
        self.issuer = self.issuer.filter(|cut_off| cut_off.until >= now);
        self.clients.retain(|_, cut_off| cut_off.until >= now);
    }

    pub(super) fn len(&self) -> usize {
        self.clients.len() + usize::from(self.issuer.is_some())
    }
}

impl CutOff {
    /// Of two, the later times count.
    fn raise(&mut self, other: Self) {
        self.latest = self.latest.max(other.latest);
        self.until = self.until.max(other.until);
    }
}
