//! The suite that a store of your own passes: what the contract of [`Store`] says, tried out.
//!
//! ```
//! use tower_bearer::{store::Memory, test_util::stores};
//!
//! # #[tokio::main]
//! # async fn main() {
//! stores::check(|| async { Memory::new() }).await;
//! # }
//! ```
//!
//! What it demands beyond the words of the trait:
//!
//! - Numbers and times are kept up to 2^63 - 1, lifetimes in whole seconds. A store may refuse what is
//!   greater or finer, with an error, and must not keep something else.
//! - Texts are kept byte for byte, whatever they hold, except U+0000: some databases cannot keep that,
//!   and nothing is written that has it.
//! - A list without elements and a text without characters are kept as such.
//!
//! The races are run twice: write against write, and request against request at a server over the
//! store.
//!
//! What it cannot try: a power loss, a full disk, a store that is out of reach.

mod applications;
mod batches;
mod deletion;
mod families;
mod guesses;
mod keys;
mod live_families;
mod pages;
mod races;
mod revocations;
mod samples;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod served;
mod trial;

use std::{future::Future, sync::Arc};

use self::trial::{Open, Trial};
use crate::issue::Store;

/// Tries every line of the contract out, each on a store of its own that `open` gives, with nothing in
/// it.
///
/// Best on a runtime with several threads, where the races are races.
///
/// # Panics
///
/// If the store does not keep the contract; the text says which line of it.
pub async fn check<S, F>(open: impl Fn() -> F)
where
    S: Store,
    F: Future<Output = S>,
{
    let open = || -> trial::Opening<'_> {
        let store = open();
        Box::pin(async { Trial::new(Arc::new(store.await)) })
    };
    let open: Open<'_> = &open;
    applications::check(open).await;
    deletion::check(open).await;
    families::check(open).await;
    live_families::check(open).await;
    keys::check(open).await;
    revocations::check(open).await;
    pages::check(open).await;
    guesses::check(open).await;
    batches::check(open).await;
    races::check(open).await;
    #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
    served::check(open).await;
}
