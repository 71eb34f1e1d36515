//! [`Revocations`]: tokens that are refused before they expire.
//!
//! ```
//! use std::time::Duration;
//! use tower_bearer::{
//!     AuthErrorKind, Verifier,
//!     revocation::{Revocation, Revocations},
//!     test_util::TestIssuer,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = TestIssuer::new();
//! let revocations = Revocations::new();
//! let trusted = issuer.trusted().revocations(revocations.clone()); // clones share
//! let verifier = Verifier::builder().issuer(trusted).build()?;
//!
//! let token = issuer.token().sign();
//! let grant = verifier.verify_now(&token)?;
//!
//! // Longer than the token lives anywhere: its `exp`, and the most that clocks may differ.
//! let until = grant.expires_at().saturating_add(Duration::from_secs(300));
//! revocations.revoke(&Revocation::token(grant.token_id().unwrap_or_default(), until));
//! assert_eq!(verifier.verify_now(&token).unwrap_err().kind(), AuthErrorKind::Revoked);
//! # Ok(())
//! # }
//! ```
//!
//! A token says by itself that it is valid, and no store is asked about it: what is revoked is a list
//! in memory, at whoever verifies. A look at it takes no lock and does no I/O; whoever changes it waits
//! for nobody but others who do. The revocation holds for every request that begins after
//! [`revoke`](Revocations::revoke) returned.
//!
//! - A revoked token is answered like any other that is not valid. That it was revoked is for the
//!   operator, in the event of code `revoked`.
//! - It is the last check, after the signature and the times: a token that is both expired and revoked
//!   has expired. So it makes no difference when its revocation is forgotten.
//! - The list needs 24 bytes for an id of 22 characters that is the base64url form of 128 bits, and a
//!   string for any other. Ids are compared as they are: no token is refused by mistake.
//! - It is as long as there are revoked tokens that have not expired, if it is
//!   [purged](Revocations::purge) now and then, such as once in a minute.

mod column;
mod cut_offs;
mod entry;
#[cfg(feature = "revocation-feed")]
pub mod feed;
mod ids;
mod list;
mod page;
mod shard;

#[cfg(feature = "revocation-feed")]
pub use self::feed::{RevocationFeed, StalePolicy};
/// How long revocations are kept beyond their end, so that no token revives if the clock jumped ahead,
/// and is set right within this time.
#[cfg(feature = "revocation-feed")]
pub(crate) const KEPT_BEYOND_END: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

pub use self::{
    entry::{Revocation, RevocationKind},
    list::Revocations,
    page::{RevocationCursor, RevocationEntry, RevocationPage},
};
