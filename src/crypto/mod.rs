//! Cryptography: the algorithms, the material of a key, and what a backend must offer.
//!
//! This is the only directory that names a backend crate. A [`Backend`] turns checked
//! [`Material`] into a [`PreparedKey`] once, and verifies with it any number of times.

#[cfg(feature = "issue")]
mod aead;
mod algorithm;
#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
mod der;
mod digest;
#[cfg(feature = "aws-lc-rs")]
mod ecdsa;
mod ed25519;
#[cfg(feature = "issue")]
mod mac;
mod material;
#[cfg(feature = "issue")]
mod random;
#[cfg(feature = "rust-crypto")]
mod rust_crypto;
#[cfg(any(feature = "issue", feature = "test-util"))]
pub(crate) mod sign;

use std::{fmt, str::FromStr};

pub use self::algorithm::Algorithm;
#[cfg(feature = "issue")]
pub(crate) use self::{
    aead::AeadKey,
    mac::{MacKey, TAG_LEN, is_same_tag},
    random::{NoRandom, random},
};
pub(crate) use self::{
    algorithm::AlgorithmSet,
    digest::sha256,
    material::{Curve, KeyRejected, Material},
};
use crate::error::ConfigError;

/// The implementation of the cryptographic primitives.
///
/// | | `AwsLcRs` | `RustCrypto` |
/// |---|---|---|
/// | feature | `aws-lc-rs` (default) | `rust-crypto` |
/// | HS256, HS384, HS512 | yes | yes |
/// | RS256 ... PS512 | 2048 to 8192 bits | 2048 to 4096 bits |
/// | ES256, ES384 | yes | yes |
/// | ES512 | yes | no |
/// | EdDSA (Ed25519) | yes | yes |
/// | signs with RSA (feature `issue`) | yes | no, RUSTSEC-2023-0071 |
/// | keys are prepared | once | for each signature (except HMAC secrets, which are short) |
///
/// A key that a backend cannot use is skipped with an event; an algorithm that it cannot verify
/// is a [`ConfigError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// AWS-LC through the `aws-lc-rs` crate.
    AwsLcRs,
    /// The RustCrypto crates through `jsonwebtoken`.
    RustCrypto,
}

impl Backend {
    /// The name, which is also the name of the feature that compiles it in.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AwsLcRs => "aws-lc-rs",
            Self::RustCrypto => "rust-crypto",
        }
    }

    /// The backend that is used unless another is chosen: `AwsLcRs` where it is compiled in.
    ///
    /// # Errors
    ///
    /// [`ConfigError::NoBackend`] if none is compiled in.
    pub const fn compiled() -> Result<Self, ConfigError> {
        if cfg!(feature = "aws-lc-rs") {
            Ok(Self::AwsLcRs)
        } else if cfg!(feature = "rust-crypto") {
            Ok(Self::RustCrypto)
        } else {
            Err(ConfigError::NoBackend)
        }
    }

    /// This backend, if it is compiled in.
    pub(crate) fn checked(self) -> Result<Self, ConfigError> {
        match self {
            Self::AwsLcRs if cfg!(feature = "aws-lc-rs") => Ok(self),
            Self::RustCrypto if cfg!(feature = "rust-crypto") => Ok(self),
            _ => Err(ConfigError::BackendNotCompiled { name: self.name() }),
        }
    }

    /// Whether this backend makes signatures that go out to others. The crate `rsa` takes a time
    /// that depends on the private key (RUSTSEC-2023-0071), so it only signs for tests.
    #[cfg(feature = "issue")]
    pub(crate) const fn signs(self, algorithm: Algorithm) -> bool {
        use Algorithm::{Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        let is_rsa = matches!(algorithm, Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512);
        self.supports(algorithm) && !(is_rsa && matches!(self, Self::RustCrypto))
    }

    /// Whether this backend can verify the algorithm at all.
    pub(crate) const fn supports(self, algorithm: Algorithm) -> bool {
        !matches!((self, algorithm), (Self::RustCrypto, Algorithm::Es512))
    }
}

impl FromStr for Backend {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "aws-lc-rs" => Ok(Self::AwsLcRs),
            "rust-crypto" => Ok(Self::RustCrypto),
            _ => Err(ConfigError::UnknownName {
                setting: "backend",
                name: name.into(),
                known: "aws-lc-rs, rust-crypto",
            }),
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A key that is ready to verify, once for each algorithm that it may serve.
pub(crate) enum PreparedKey {
    #[cfg(feature = "aws-lc-rs")]
    AwsLc(aws_lc::PreparedKey),
    #[cfg(feature = "rust-crypto")]
    RustCrypto(rust_crypto::PreparedKey),
}

impl PreparedKey {
    /// Prepares the material for a backend, which checks what only it can, such as that a point
    /// lies on its curve.
    pub(crate) fn new(backend: Backend, material: &Material) -> Result<Self, KeyRejected> {
        match backend {
            #[cfg(feature = "aws-lc-rs")]
            Backend::AwsLcRs => aws_lc::PreparedKey::new(material).map(Self::AwsLc),
            #[cfg(feature = "rust-crypto")]
            Backend::RustCrypto => rust_crypto::PreparedKey::new(material).map(Self::RustCrypto),
            #[expect(clippy::allow_attributes, reason = "unreachable only if both are compiled in")]
            #[allow(unreachable_patterns)]
            _ => {
                let _ = material;
                Err(KeyRejected("the backend is not compiled in"))
            }
        }
    }

    /// Whether the signature holds. The caller has checked that key and algorithm fit; a mismatch
    /// is `false` all the same.
    pub(crate) fn verify(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
        if algorithm == Algorithm::EdDsa && !ed25519::is_strict_signature(signature) {
            return false;
        }
        match self {
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc(key) => key.verify(algorithm, input, signature),
            #[cfg(feature = "rust-crypto")]
            Self::RustCrypto(key) => key.verify(algorithm, input, signature),
            #[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
            _ => {
                let _ = (input, signature);
                false
            }
        }
    }
}
