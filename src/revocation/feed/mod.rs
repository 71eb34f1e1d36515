//! [`RevocationFeed`]: a list of revocations that is kept current.
//!
//! A service that verifies tokens keeps what was revoked in memory, and no request waits for anybody. A
//! feed fills that list from a [`RevocationSource`] and keeps it current: first with everything, page by
//! page, then with what is new, which the source is asked for with patience (a long poll), so that it
//! comes at once.
//!
//! ```
//! use std::time::Duration;
//! use tower_bearer::{
//!     AuthErrorKind, Verifier,
//!     issue::{Store, StoreSource, Write},
//!     revocation::{Revocation, RevocationFeed, StalePolicy},
//!     store::Memory,
//!     test_util::TestIssuer,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Memory::new(); // or the database of the issuing side
//! let feed = RevocationFeed::builder(StoreSource::new(store.clone()), StalePolicy::Refuse)
//!     .stale_after(Duration::from_secs(30))
//!     .start()?;
//!
//! let issuer = TestIssuer::new();
//! let trusted = issuer.trusted().revocations(feed.revocations());
//! let verifier = Verifier::builder().issuer(trusted).build()?;
//! verifier.ready().await?; // everything that was revoked is known
//!
//! let token = issuer.token().sign();
//! let grant = verifier.verify_now(&token)?;
//! let until = grant.expires_at().saturating_add(Duration::from_secs(300));
//! let revoked = Revocation::token(grant.token_id().unwrap_or_default(), until);
//! let _ = store.apply(vec![Write::Revoke(revoked)]).await?; // by whoever issues tokens
//! feed.known(1).await;
//! assert_eq!(verifier.verify_now(&token).unwrap_err().kind(), AuthErrorKind::Revoked);
//! # Ok(())
//! # }
//! ```
//!
//! - Until everything is known, and when nothing was heard for longer than
//!   [`stale_after`](FeedBuilder::stale_after), the [`StalePolicy`] that was chosen applies: tokens are
//!   refused with 503, or accepted as far as is known. Either is an event, and so is its end.
//! - Each request for a page has a time limit, and one that fails is made again soon, at first after a
//!   quarter of a second, at last every five.
//! - What has been past its end for a day is forgotten.

mod builder;
#[cfg(feature = "remote-keys")]
mod http;
mod source;
mod status;
mod task;
#[cfg(any(feature = "issue", feature = "remote-keys"))]
mod wire;

use std::fmt;

#[cfg(feature = "remote-keys")]
pub use self::http::HttpSource;
#[cfg(feature = "issue")]
pub(crate) use self::wire::write;
pub use self::{
    builder::{FeedBuilder, StalePolicy},
    source::{AskedForPage, RevocationSource},
    status::FeedStatus,
};
use super::Revocations;

/// Keeps a list of [`Revocations`] current. Cheap to clone; see the
/// [module docs](crate::revocation::feed) for an example.
///
/// It works as long as a clone of it or of its list is there, on the tokio runtime where it was started.
#[derive(Clone)]
pub struct RevocationFeed(Revocations);

impl RevocationFeed {
    /// Describes a feed from this source, and says what happens to tokens while it is stale.
    pub fn builder(source: impl RevocationSource, when_stale: StalePolicy) -> FeedBuilder {
        FeedBuilder::new(source, when_stale)
    }

    /// The list, for [`Issuer::revocations`](crate::Issuer::revocations).
    #[must_use]
    pub fn revocations(&self) -> Revocations {
        self.0.clone()
    }

    /// Waits until everything that was revoked is known.
    pub async fn ready(&self) {
        self.until(|status| status.is_complete).await;
    }

    /// Waits until everything is known, and that is at least so many revocations.
    pub async fn known(&self, revocations: usize) {
        self.until(|status| status.is_complete && status.revocations >= revocations).await;
    }

    /// How the feed is doing.
    #[must_use]
    pub fn status(&self) -> FeedStatus {
        self.0.keeper().map(|keeper| keeper.status()).unwrap_or_default()
    }

    async fn until(&self, is_reached: impl FnMut(&FeedStatus) -> bool) {
        if let Some(keeper) = self.0.keeper() {
            keeper.until(is_reached).await;
        }
    }
}

impl fmt::Debug for RevocationFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationFeed").field("status", &self.status()).finish()
    }
}

pub(super) use self::status::Keeper;
