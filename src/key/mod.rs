//! Keys of an issuer: one [`VerifyingKey`], and the [`KeySet`] that an [`Issuer`](crate::Issuer)
//! signs with.
//!
//! Whatever a key comes from, it is checked when it is made: RSA has 2048 to 8192 bits, EC points
//! have the full width, HMAC secrets have at least the length of the hash. A private key, or a
//! secret in a key document, is refused: it has no business there.
//!
//! ```
//! use tower_bearer::key::{KeySet, VerifyingKey};
//!
//! // A JWKS document (RFC 7517 section 5): odd keys are skipped and reported, the rest is used.
//! let set = KeySet::from_jwks(
//!     r#"{"keys": [
//!         {"kty": "OKP", "crv": "Ed25519", "kid": "a", "alg": "EdDSA",
//!          "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
//!         {"kty": "EC", "crv": "secp256k1", "kid": "b", "x": "AA", "y": "AA"}
//!     ]}"#,
//! )?;
//! assert_eq!(set.len(), 1);
//! assert_eq!(set.skipped()[0].key_id(), Some("b"));
//!
//! // A secret that is shared with the issuer: random bytes, never a password.
//! let secret = VerifyingKey::hmac(tower_bearer::Algorithm::Hs256, &[7; 32])?.with_id("2026-11")?;
//! assert!(VerifyingKey::hmac(tower_bearer::Algorithm::Hs256, b"hunter2").is_err());
//! # let _ = secret;
//! # Ok::<(), tower_bearer::key::KeyError>(())
//! ```

mod fixed;
mod index;
mod jwk;
mod live;
mod set;

pub use self::{
    fixed::{KeyError, VerifyingKey},
    live::LiveKeys,
    set::{KeySet, SkippedKey},
};
pub(crate) use self::{index::KeyIndex, live::Follow};
