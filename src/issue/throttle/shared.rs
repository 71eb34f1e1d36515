use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use crate::{
    crypto::MacKey,
    issue::{Guess, GuessRecord},
};

/// What is told to the other servers of a store, and how far what they told is known.
pub(super) struct Shared {
    /// Tells this server's records from those of others.
    server: u64,
    /// The same for all servers, and not in the store: whoever reads that learns no address.
    key: ArcSwap<MacKey>,
    untold: Mutex<Untold>,
    /// There is something to tell.
    pub(super) has_untold: Notify,
    /// The place in the log that is known. One exchange at a time.
    pub(super) place: tokio::sync::Mutex<u64>,
}

impl Shared {
    pub(super) fn new(key: Arc<MacKey>) -> Self {
        Self {
            server: RandomState::new().hash_one(()),
            key: ArcSwap::new(key),
            untold: Mutex::default(),
            has_untold: Notify::new(),
            place: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn replace_key(&self, key: Arc<MacKey>) {
        self.key.store(key);
    }

    /// The same at all servers.
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
        self.untold().failed(pair, source);
        self.has_untold.notify_one();
    }

    /// Says whether it will be told: there may be too many.
    pub(super) fn succeeded(&self, pair: u64, source: u64) -> bool {
        let is_told = self.untold().succeeded(pair, source);
        self.has_untold.notify_one();
        is_told
    }

    /// What is to be told now. If that fails nobody hears of it: later it would be taken for something
    /// that happened then, and perhaps a second time.
    pub(super) fn take(&self) -> Vec<GuessRecord> {
        let untold = std::mem::take(&mut *self.untold());
        let record = |guess| GuessRecord { server: self.server, guess };
        untold.guesses.into_iter().map(record).collect()
    }

    pub(super) fn is_own(&self, record: &GuessRecord) -> bool {
        record.server == self.server
    }

    fn untold(&self) -> MutexGuard<'_, Untold> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many records wait to be told. What fails beyond that is told as failures of nobody in particular.
const MOST_UNTOLD: usize = 10_000;
/// How many of them may be successes, which nothing else limits.
const MOST_SUCCESSES: usize = 100;

/// Who failed: a pair and its source, as far as they are known.
type Who = (Option<u64>, Option<u64>);

#[derive(Default)]
struct Untold {
    guesses: Vec<Guess>,
    successes: usize,
    /// Where failures are counted that nothing has come after.
    open: HashMap<Who, usize>,
}

impl Untold {
    fn failed(&mut self, pair: Option<u64>, source: Option<u64>) {
        let is_full = self.guesses.len() >= MOST_UNTOLD;
        let who = match (pair, source) {
            who if is_full && !self.open.contains_key(&who) => (None, None),
            who => who,
        };
        let known = self.open.get(&who).and_then(|index| self.guesses.get_mut(*index));
        if let Some(Guess::Failed { times, .. }) = known {
            *times = times.saturating_add(1);
            return;
        }
        self.open.insert(who, self.guesses.len());
        let (pair, source) = who;
        self.guesses.push(Guess::Failed { pair, source, times: 1 });
    }

    fn succeeded(&mut self, pair: u64, source: u64) -> bool {
        let has_room = self.successes < MOST_SUCCESSES && self.guesses.len() < MOST_UNTOLD;
        if has_room {
            self.open.remove(&(Some(pair), Some(source)));
            self.successes += 1;
            self.guesses.push(Guess::Succeeded { pair, source });
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> Shared {
        Shared::new(Arc::new(MacKey::new(&[7; 32])))
    }

    fn failed(source: u64, times: u32) -> Guess {
        Guess::Failed { pair: None, source: Some(source), times }
    }

    fn told(shared: &Shared) -> Vec<Guess> {
        shared.take().into_iter().map(|record| record.guess).collect()
    }

    #[test]
    fn failures_of_the_same_are_one_record_until_a_success() {
        let shared = shared();
        let of_pair = |times| Guess::Failed { pair: Some(1), source: Some(2), times };
        shared.failed(Some(1), Some(2));
        shared.failed(None, Some(3));
        shared.failed(Some(1), Some(2));
        assert!(shared.succeeded(1, 2));
        shared.failed(Some(1), Some(2));
        let success = Guess::Succeeded { pair: 1, source: 2 };
        assert_eq!(told(&shared), [of_pair(2), failed(3, 1), success, of_pair(1)]);
        assert_eq!(told(&shared), []);
    }

    #[test]
    fn what_waits_to_be_told_has_a_bound_and_no_failure_is_left_out() {
        let shared = shared();
        let most = MOST_UNTOLD as u64;
        (0..most + 5).for_each(|source| shared.failed(None, Some(source)));
        shared.failed(None, Some(0));
        assert!(!shared.succeeded(1, 2));
        let told = told(&shared);
        assert_eq!(told.len(), MOST_UNTOLD + 1);
        assert_eq!(told[0], failed(0, 2));
        let rest = Guess::Failed { pair: None, source: None, times: 5 };
        assert_eq!(told.last(), Some(&rest));
        let successes = (0..1000).filter(|pair| shared.succeeded(*pair, 1)).count();
        assert_eq!((successes, shared.take().len()), (MOST_SUCCESSES, MOST_SUCCESSES));
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
