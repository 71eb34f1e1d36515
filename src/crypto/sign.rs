//! Signing keys: what the in-process issuer of `test_util` signs with.

use super::{Algorithm, Backend, KeyRejected, Material};

/// A private key or secret, for one algorithm.
pub(crate) struct SigningKey {
    public: Material,
    signer: Signer,
}

/// The two halves of a new key.
type Made = Result<(Material, Box<dyn Sign>), KeyRejected>;

fn not_compiled<T>(_unused: T) -> Made {
    Err(KeyRejected("the backend is not compiled in"))
}

/// Makes the signature of an input.
pub(super) trait Sign: Send + Sync {
    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyRejected>;
}

impl SigningKey {
    /// A fresh key from the random generator of the operating system. RSA keys have 2048 bits.
    pub(crate) fn generate(backend: Backend, algorithm: Algorithm) -> Result<Self, KeyRejected> {
        let (public, signer) = match backend {
            #[cfg(feature = "aws-lc-rs")]
            Backend::AwsLcRs => aws_lc::generate(algorithm),
            #[cfg(feature = "rust-crypto")]
            Backend::RustCrypto => rust_crypto::generate(algorithm),
            #[expect(clippy::allow_attributes, reason = "unreachable only if both are compiled in")]
            #[allow(unreachable_patterns)]
            _ => not_compiled(algorithm),
        }?;
        Ok(Self { public, signer: Signer(signer.into()) })
    }

    /// A secret that is given, whatever its worth.
    pub(crate) fn hmac(
        backend: Backend,
        algorithm: Algorithm,
        secret: &[u8],
    ) -> Result<Self, KeyRejected> {
        let (public, signer) = match backend {
            #[cfg(feature = "aws-lc-rs")]
            Backend::AwsLcRs => aws_lc::hmac(algorithm, secret),
            #[cfg(feature = "rust-crypto")]
            Backend::RustCrypto => rust_crypto::hmac(algorithm, secret),
            #[expect(clippy::allow_attributes, reason = "unreachable only if both are compiled in")]
            #[allow(unreachable_patterns)]
            _ => not_compiled((algorithm, secret)),
        }?;
        Ok(Self { public, signer: Signer(signer.into()) })
    }

    /// What a verifier needs: the public half, or the secret itself.
    pub(crate) fn into_parts(self) -> (Material, Signer) {
        (self.public, self.signer)
    }
}

/// The private half; clones share it.
#[derive(Clone)]
pub(crate) struct Signer(std::sync::Arc<dyn Sign>);

impl Signer {
    pub(crate) fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyRejected> {
        self.0.sign(input)
    }
}

#[cfg(feature = "aws-lc-rs")]
mod aws_lc {
    use aws_lc_rs::{
        hmac, rand,
        rsa::KeySize,
        signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair},
    };

    use super::{Algorithm, KeyRejected, Made, Material, Sign};
    use crate::crypto::{Curve, aws_lc::hmac_algorithm};

    const FAILED: KeyRejected = KeyRejected("the key could not be generated");

    pub(super) fn generate(algorithm: Algorithm) -> Made {
        Ok(match algorithm {
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
                let mut secret = vec![0; algorithm.min_hmac_key()];
                rand::fill(&mut secret).map_err(|_| FAILED)?;
                hmac(algorithm, &secret)?
            }
            Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => {
                let (curve, parameters) = match algorithm {
                    Algorithm::Es256 => (Curve::P256, &signature::ECDSA_P256_SHA256_FIXED_SIGNING),
                    Algorithm::Es384 => (Curve::P384, &signature::ECDSA_P384_SHA384_FIXED_SIGNING),
                    _ => (Curve::P521, &signature::ECDSA_P521_SHA512_FIXED_SIGNING),
                };
                let pair = EcdsaKeyPair::generate(parameters).map_err(|_| FAILED)?;
                (Material::from_point(curve, pair.public_key().as_ref())?, Box::new(pair))
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate().map_err(|_| FAILED)?;
                (Material::ed25519(pair.public_key().as_ref())?, Box::new(pair))
            }
            Algorithm::Rs256 => rsa(&signature::RSA_PKCS1_SHA256)?,
            Algorithm::Rs384 => rsa(&signature::RSA_PKCS1_SHA384)?,
            Algorithm::Rs512 => rsa(&signature::RSA_PKCS1_SHA512)?,
            Algorithm::Ps256 => rsa(&signature::RSA_PSS_SHA256)?,
            Algorithm::Ps384 => rsa(&signature::RSA_PSS_SHA384)?,
            Algorithm::Ps512 => rsa(&signature::RSA_PSS_SHA512)?,
        })
    }

    pub(super) fn hmac(algorithm: Algorithm, secret: &[u8]) -> Made {
        let key = hmac::Key::new(hmac_algorithm(algorithm), secret);
        Ok((Material::hmac(algorithm, secret)?, Box::new(key)))
    }

    fn rsa(encoding: &'static dyn RsaEncoding) -> Made {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| FAILED)?;
        let public = Material::from_pkcs1(pair.public_key().as_ref())?;
        Ok((public, Box::new(Rsa { pair, encoding })))
    }

    struct Rsa {
        pair: RsaKeyPair,
        encoding: &'static dyn RsaEncoding,
    }

    impl Sign for Rsa {
        fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyRejected> {
            let mut signature = vec![0; self.pair.public_modulus_len()];
            let random = rand::SystemRandom::new();
            self.pair
                .sign(self.encoding, &random, input, &mut signature)
                .map_err(|_| KeyRejected("signing failed"))?;
            Ok(signature)
        }
    }

    impl Sign for hmac::Key {
        fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyRejected> {
            Ok(hmac::sign(self, input).as_ref().to_vec())
        }
    }

    impl Sign for EcdsaKeyPair {
        fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyRejected> {
            Self::sign(self, &rand::SystemRandom::new(), input)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| KeyRejected("signing failed"))
        }
    }

    impl Sign for Ed25519KeyPair {
        fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyRejected> {
            Ok(Self::sign(self, input).as_ref().to_vec())
        }
    }
}

#[cfg(feature = "rust-crypto")]
mod rust_crypto {
    use jsonwebtoken::{EncodingKey, crypto::rust_crypto::DEFAULT_PROVIDER};
    use p256::pkcs8::EncodePrivateKey as _;
    use rand_core::{OsRng, RngCore as _};
    use rsa::{pkcs1::EncodeRsaPrivateKey as _, traits::PublicKeyParts as _};

    use super::{Algorithm, KeyRejected, Made, Material, Sign};
    use crate::crypto::{Curve, rust_crypto::foreign};

    const FAILED: KeyRejected = KeyRejected("the key could not be generated");

    pub(super) fn generate(algorithm: Algorithm) -> Made {
        let (public, key) = match algorithm {
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
                let mut secret = vec![0; algorithm.min_hmac_key()];
                OsRng.try_fill_bytes(&mut secret).map_err(|_| FAILED)?;
                (Material::hmac(algorithm, &secret)?, EncodingKey::from_secret(&secret))
            }
            Algorithm::Es256 => {
                let key = p256::SecretKey::random(&mut OsRng);
                let der = key.to_pkcs8_der().map_err(|_| FAILED)?;
                let point = p256::elliptic_curve::sec1::ToEncodedPoint::to_encoded_point(
                    &key.public_key(),
                    false,
                );
                (
                    Material::from_point(Curve::P256, point.as_bytes())?,
                    EncodingKey::from_ec_der(der.as_bytes()),
                )
            }
            Algorithm::Es384 => {
                let key = p384::SecretKey::random(&mut OsRng);
                let der = key.to_pkcs8_der().map_err(|_| FAILED)?;
                let point = p384::elliptic_curve::sec1::ToEncodedPoint::to_encoded_point(
                    &key.public_key(),
                    false,
                );
                (
                    Material::from_point(Curve::P384, point.as_bytes())?,
                    EncodingKey::from_ec_der(der.as_bytes()),
                )
            }
            Algorithm::Es512 => return Err(KeyRejected("this backend does not know P-521")),
            Algorithm::EdDsa => {
                let key = ed25519_dalek::SigningKey::generate(&mut OsRng);
                let der = key.to_pkcs8_der().map_err(|_| FAILED)?;
                let public = Material::ed25519(key.verifying_key().as_bytes())?;
                (public, EncodingKey::from_ed_der(der.as_bytes()))
            }
            _ => {
                let key = rsa::RsaPrivateKey::new(&mut OsRng, 2048).map_err(|_| FAILED)?;
                let public = Material::rsa(&key.n().to_bytes_be(), &key.e().to_bytes_be())?;
                let der = key.to_pkcs1_der().map_err(|_| FAILED)?;
                (public, EncodingKey::from_rsa_der(der.as_bytes()))
            }
        };
        let algorithm = foreign(algorithm).ok_or(FAILED)?;
        Ok((public, Box::new(Key { algorithm, key })))
    }

    pub(super) fn hmac(algorithm: Algorithm, secret: &[u8]) -> Made {
        let key = EncodingKey::from_secret(secret);
        let key = Key { algorithm: foreign(algorithm).ok_or(FAILED)?, key };
        Ok((Material::hmac(algorithm, secret)?, Box::new(key)))
    }

    struct Key {
        algorithm: jsonwebtoken::Algorithm,
        key: EncodingKey,
    }

    impl Sign for Key {
        fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyRejected> {
            let failed = |_| KeyRejected("signing failed");
            let signer =
                (DEFAULT_PROVIDER.signer_factory)(&self.algorithm, &self.key).map_err(failed)?;
            signer.try_sign(input).map_err(|_| KeyRejected("signing failed"))
        }
    }
}
