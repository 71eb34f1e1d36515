//! Slow hashes, off the asynchronous threads and few at a time.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::argon::{Hash, Recipe};
use crate::error::BoxError;

/// How many hashes are computed at once; each takes a thread and 19 MiB.
const AT_ONCE: usize = 4;
/// How many requests may wait for their turn.
const WAITING: usize = 64;

/// Computes Argon2id hashes under a limit, so that nobody fills the memory with them.
pub(super) struct Hashing {
    turns: Arc<Semaphore>,
    places: Semaphore,
}

/// There are so many hashes to compute that another one would wait for seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Busy;

impl Default for Hashing {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), places: Semaphore::new(AT_ONCE + WAITING) }
    }
}

impl Hashing {
    /// Hashes a secret with each of these recipes.
    pub(super) async fn hash(
        &self,
        secret: &str,
        recipes: Vec<Recipe>,
    ) -> Result<Result<Vec<Hash>, BoxError>, Busy> {
        let _place = self.places.try_acquire().map_err(|_| Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Busy)?;
        let secret = Zeroizing::new(secret.as_bytes().to_vec());
        let hashed = tokio::task::spawn_blocking(move || {
            // Kept until the memory is free again, even if nobody waits any more.
            let _turn = turn;
            recipes.into_iter().map(|recipe| recipe.hash(&secret)).collect::<Option<Vec<_>>>()
        });
        let hashed = hashed.await.map_err(BoxError::from);
        #[cfg(test)]
        for hash in hashed.iter().flatten().flatten() {
            let (memory, passes, lanes) = hash.recipe.cost();
            super::work::note(super::work::Work::Hash(memory, passes, lanes));
        }
        Ok(hashed.and_then(|hashes| hashes.ok_or_else(|| "the hash cannot be computed".into())))
    }
}
