use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::KeySet;

/// Keys that whoever made them replaces, in every verifier that was built with them: those of an
/// issuing side in the same process. Clones share the keys.
#[derive(Clone)]
pub struct LiveKeys(Arc<Mutex<Shared>>);

struct Shared {
    keys: KeySet,
    /// Grows with each replacement.
    generation: u64,
    followers: Vec<Weak<dyn Follow>>,
}

/// Takes keys over.
pub(crate) trait Follow: Send + Sync {
    /// Keys of an earlier generation than those that it has come too late.
    fn follow(&self, keys: &KeySet, generation: u64);
}

impl LiveKeys {
    #[cfg(feature = "issue")]
    pub(crate) fn new(keys: KeySet) -> Self {
        Self(Arc::new(Mutex::new(Shared { keys, generation: 0, followers: Vec::new() })))
    }

    /// The keys as they are now.
    pub(crate) fn now(&self) -> KeySet {
        self.lock().keys.clone()
    }

    /// Replaces the keys wherever they are used, before it returns.
    #[cfg(feature = "issue")]
    pub(crate) fn replace(&self, keys: KeySet) {
        let followers: Vec<_> = {
            let mut shared = self.lock();
            shared.keys = keys;
            shared.generation += 1;
            shared.followers.retain(|follower| follower.strong_count() > 0);
            shared.followers.iter().filter_map(Weak::upgrade).collect()
        };
        for follower in followers {
            self.hand_over(&*follower);
        }
    }

    /// Hands the keys to a follower, now and whenever they are replaced, as long as it is there.
    pub(crate) fn follow_with<F: Follow + 'static>(&self, follower: &Arc<F>) {
        let weak: Weak<F> = Arc::downgrade(follower);
        self.lock().followers.push(weak);
        self.hand_over(&**follower);
    }

    /// Without the lock, as whoever follows tells sinks, which may come back here; hence the second
    /// look.
    fn hand_over(&self, follower: &dyn Follow) {
        loop {
            let (keys, generation) = {
                let shared = self.lock();
                (shared.keys.clone(), shared.generation)
            };
            follower.follow(&keys, generation);
            if self.lock().generation == generation {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for LiveKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveKeys").field(&self.now()).finish()
    }
}
