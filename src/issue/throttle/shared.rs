use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use crate::{crypto::MacKey, issue::GuessRecord};

/// What is told to the other servers of a store, and how far what they told is known.
pub(super) struct Shared {
    /// Tells this server's records from those of others.
    pub(super) server: u64,
    /// The same for all servers, and not in the store: whoever reads that learns no address.
    key: ArcSwap<MacKey>,
    untold: Mutex<Untold>,
    /// There is something to tell.
    pub(super) news: Notify,
    /// The place in the log that is known. One exchange at a time.
    pub(super) place: tokio::sync::Mutex<u64>,
}

impl Shared {
    pub(super) fn new(key: Arc<MacKey>) -> Self {
        Self {
            server: RandomState::new().hash_one(()),
            key: ArcSwap::new(key),
            untold: Mutex::default(),
            news: Notify::new(),
            place: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn replace_key(&self, key: Arc<MacKey>) {
        self.key.store(key);
    }

    /// Under what a source counts, with an application or without.
    pub(super) fn hash(&self, who: Option<&str>, network: IpAddr) -> u64 {
        let mut message = Vec::with_capacity(17 + who.map_or(0, str::len));
        // Of one length, so that no two messages are the same.
        message.push(u8::from(who.is_some()));
        let mapped = match network {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        message.extend_from_slice(&mapped.octets());
        message.extend_from_slice(who.unwrap_or_default().as_bytes());
        let [a, b, c, d, e, f, g, h, ..] = self.key.load().tag(&message);
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    pub(super) fn failed(&self, pair: Option<u64>, source: Option<u64>) {
        self.untold().failed(self.server, pair, source);
        self.news.notify_one();
    }

    pub(super) fn succeeded(&self, pair: u64, source: u64) {
        self.untold().succeeded(self.server, pair, source);
        self.news.notify_one();
    }

    /// What is to be told now.
    pub(super) fn take(&self) -> Vec<GuessRecord> {
        std::mem::take(&mut *self.untold()).records
    }

    /// What could not be told is told later, before what came meanwhile.
    pub(super) fn put_back(&self, mut records: Vec<GuessRecord>) {
        let mut untold = self.untold();
        records.append(&mut untold.records);
        records.truncate(MOST_UNTOLD);
        *untold = Untold { records, open: HashMap::new() };
    }

    fn untold(&self) -> MutexGuard<'_, Untold> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many records wait to be told, as while the store is out of reach. What fails beyond that is told
/// as a failure of all together.
const MOST_UNTOLD: usize = 10_000;

#[derive(Default)]
struct Untold {
    records: Vec<GuessRecord>,
    /// Where failures of a pair and source are counted that nothing has come after.
    open: HashMap<(Option<u64>, Option<u64>), usize>,
}

impl Untold {
    fn failed(&mut self, server: u64, pair: Option<u64>, source: Option<u64>) {
        let key = match self.records.len() {
            len if len < MOST_UNTOLD || self.open.contains_key(&(pair, source)) => (pair, source),
            _ => (None, None),
        };
        let known = self.open.get(&key).and_then(|index| self.records.get_mut(*index));
        match known {
            Some(record) => record.failures = record.failures.saturating_add(1),
            None => {
                self.open.insert(key, self.records.len());
                let (pair, source) = key;
                self.records.push(GuessRecord { server, pair, source, failures: 1 });
            }
        }
    }

    fn succeeded(&mut self, server: u64, pair: u64, source: u64) {
        let (pair, source) = (Some(pair), Some(source));
        self.open.remove(&(pair, source));
        if self.records.len() < MOST_UNTOLD {
            self.records.push(GuessRecord { server, pair, source, failures: 0 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> Shared {
        Shared::new(Arc::new(MacKey::new(&[7; 32])))
    }

    fn told(shared: &Shared) -> Vec<(Option<u64>, u32)> {
        shared.take().into_iter().map(|record| (record.source, record.failures)).collect()
    }

    #[test]
    fn failures_of_the_same_are_one_record_until_a_success() {
        let shared = shared();
        shared.failed(Some(1), Some(2));
        shared.failed(None, Some(3));
        shared.failed(Some(1), Some(2));
        shared.succeeded(1, 2);
        shared.failed(Some(1), Some(2));
        assert_eq!(told(&shared), [(Some(2), 2), (Some(3), 1), (Some(2), 0), (Some(2), 1)]);
        assert_eq!(told(&shared), []);
    }

    #[test]
    fn what_could_not_be_told_comes_first_and_takes_no_more_than_its_room() {
        let shared = shared();
        shared.failed(None, Some(1));
        let records = shared.take();
        shared.failed(None, Some(2));
        shared.put_back(records);
        shared.failed(None, Some(2));
        assert_eq!(told(&shared), [(Some(1), 1), (Some(2), 1), (Some(2), 1)]);

        let most = MOST_UNTOLD as u64;
        (0..most + 5).for_each(|source| shared.failed(None, Some(source)));
        let records = shared.take();
        assert_eq!(records.len(), MOST_UNTOLD + 1);
        assert_eq!(records.last().map(|last| (last.source, last.failures)), Some((None, 5)));
        (0..most).for_each(|source| shared.failed(None, Some(source)));
        shared.put_back(records);
        assert_eq!(shared.take().len(), MOST_UNTOLD);
    }

    #[test]
    fn all_servers_of_a_key_have_the_same_hashes_and_each_kind_its_own() {
        let (one, other) = (shared(), shared());
        assert_ne!(one.server, other.server);
        let (network, v6): (IpAddr, IpAddr) =
            ("192.0.2.1".parse().unwrap(), "2001:db8::".parse().unwrap());
        for who in [None, Some(""), Some("App1")] {
            assert_eq!(one.hash(who, network), other.hash(who, network));
            assert_ne!(one.hash(who, network), one.hash(who, v6));
        }
        assert_ne!(one.hash(None, network), one.hash(Some(""), network));
        assert_ne!(one.hash(Some("App1"), network), one.hash(Some("App2"), network));
        let before = one.hash(None, network);
        one.replace_key(Arc::new(MacKey::new(&[8; 32])));
        assert_ne!(one.hash(None, network), before);
    }
}
