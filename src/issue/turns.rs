use std::{
    array,
    hash::{BuildHasher, RandomState},
};

use tokio::sync::{Mutex, MutexGuard};

/// Lets those wait for each other who would change the same rows of an application, and of whom
/// only one would not be in vain. Other servers of the store do not know of it, so nobody relies on
/// it alone.
pub(super) struct Turns {
    hasher: RandomState,
    /// Applications share one by chance, which costs them nothing but time.
    turns: [Mutex<()>; TURNS],
}

const TURNS: usize = 64;

/// Whether it was somebody else's turn before, so that what was read may be old.
pub(super) struct Turn<'a> {
    pub(super) has_waited: bool,
    _held: Option<MutexGuard<'a, ()>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { hasher: RandomState::new(), turns: array::from_fn(|_| Mutex::default()) }
    }
}

impl Turns {
    pub(super) async fn take(&self, application: &str) -> Turn<'_> {
        let place = self.hasher.hash_one(application) as usize % TURNS;
        let Some(turn) = self.turns.get(place) else {
            return Turn { has_waited: false, _held: None };
        };
        match turn.try_lock() {
            Ok(held) => Turn { has_waited: false, _held: Some(held) },
            Err(_) => Turn { has_waited: true, _held: Some(turn.lock().await) },
        }
    }
}
