//! Signing keys: what the issuing side, and the in-process issuer of `test_util`, sign with.

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(feature = "rust-crypto")]
mod rust_crypto;

use std::sync::Arc;

use super::{Algorithm, Backend, KeyRejected, Material};
use crate::secret::Secret;

/// A private key or secret, for one algorithm.
pub(crate) struct SigningKey {
    public: Material,
    signer: Signer,
    #[cfg(feature = "issue")]
    private: Secret<Vec<u8>>,
}

/// A key as a backend makes it.
struct Made {
    public: Material,
    signer: Box<dyn Sign>,
    /// PKCS#8 (RFC 5958), or the secret of an HMAC algorithm as it is.
    #[cfg_attr(not(feature = "issue"), expect(dead_code, reason = "nobody keeps the key"))]
    private: Secret<Vec<u8>>,
}

/// Makes the signature of an input.
trait Sign: Send + Sync {
    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyRejected>;
}

const NOT_COMPILED: KeyRejected = KeyRejected("the backend is not compiled in");
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
const NOT_GENERATED: KeyRejected = KeyRejected("the key could not be generated");
#[cfg(all(feature = "issue", any(feature = "aws-lc-rs", feature = "rust-crypto")))]
const NOT_READ: KeyRejected = KeyRejected("the private key cannot be read");
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
const NOT_SIGNED: KeyRejected = KeyRejected("signing failed");

impl SigningKey {
    /// A fresh key from the random generator of the operating system; if it is an RSA key, with so
    /// many bits, 2048 or 3072.
    pub(crate) fn generate(
        backend: Backend,
        algorithm: Algorithm,
        rsa_bits: usize,
    ) -> Result<Self, KeyRejected> {
        match backend {
            #[cfg(feature = "aws-lc-rs")]
            Backend::AwsLcRs => aws_lc::generate(algorithm, rsa_bits).map(Into::into),
            #[cfg(feature = "rust-crypto")]
            Backend::RustCrypto => rust_crypto::generate(algorithm, rsa_bits).map(Into::into),
            #[expect(clippy::allow_attributes, reason = "unreachable only if both are compiled in")]
            #[allow(unreachable_patterns)]
            _ => {
                let _ = (algorithm, rsa_bits);
                Err(NOT_COMPILED)
            }
        }
    }

    /// A key that was generated before: its [private](Self::private) form.
    #[cfg(feature = "issue")]
    pub(crate) fn read(
        backend: Backend,
        algorithm: Algorithm,
        private: &[u8],
    ) -> Result<Self, KeyRejected> {
        if algorithm.is_hmac() {
            return Self::hmac(backend, algorithm, private);
        }
        match backend {
            #[cfg(feature = "aws-lc-rs")]
            Backend::AwsLcRs => aws_lc::read(algorithm, private).map(Into::into),
            #[cfg(feature = "rust-crypto")]
            Backend::RustCrypto => rust_crypto::read(algorithm, private).map(Into::into),
            #[expect(clippy::allow_attributes, reason = "unreachable only if both are compiled in")]
            #[allow(unreachable_patterns)]
            _ => Err(NOT_COMPILED),
        }
    }

    /// A secret that is given, whatever its worth.
    pub(crate) fn hmac(
        backend: Backend,
        algorithm: Algorithm,
        secret: &[u8],
    ) -> Result<Self, KeyRejected> {
        match backend {
            #[cfg(feature = "aws-lc-rs")]
            Backend::AwsLcRs => aws_lc::hmac(algorithm, secret).map(Into::into),
            #[cfg(feature = "rust-crypto")]
            Backend::RustCrypto => rust_crypto::hmac(algorithm, secret).map(Into::into),
            #[expect(clippy::allow_attributes, reason = "unreachable only if both are compiled in")]
            #[allow(unreachable_patterns)]
            _ => {
                let _ = (algorithm, secret);
                Err(NOT_COMPILED)
            }
        }
    }

    /// What is to be kept secret: PKCS#8 (RFC 5958), or the secret of an HMAC algorithm as it is.
    #[cfg(feature = "issue")]
    pub(crate) fn private(&self) -> &Secret<Vec<u8>> {
        &self.private
    }

    /// What a verifier needs, the public half or the secret itself, and what signs.
    pub(crate) fn into_parts(self) -> (Material, Signer) {
        (self.public, self.signer)
    }
}

impl From<Made> for SigningKey {
    fn from(made: Made) -> Self {
        Self {
            public: made.public,
            signer: Signer(made.signer.into()),
            #[cfg(feature = "issue")]
            private: made.private,
        }
    }
}

/// The private half; clones share it.
#[derive(Clone)]
pub(crate) struct Signer(Arc<dyn Sign>);

impl Signer {
    pub(crate) fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyRejected> {
        self.0.sign(input)
    }
}
