use aws_lc_rs::{
    encoding::AsDer as _,
    hmac, rand,
    rsa::KeySize,
    signature::{
        self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaEncoding,
        RsaKeyPair,
    },
};

#[cfg(feature = "issue")]
use super::NOT_READ;
use super::{Algorithm, KeyRejected, Made, Material, NOT_GENERATED, NOT_SIGNED, Sign};
use crate::{
    crypto::{Curve, aws_lc::hmac_algorithm},
    secret::Secret,
};

pub(super) fn generate(algorithm: Algorithm, rsa_bits: usize) -> Result<Made, KeyRejected> {
    match Kind::of(algorithm) {
        Kind::Hmac => {
            let mut secret = Secret::new(vec![0; algorithm.min_hmac_key()]);
            rand::fill(secret.expose_mut()).map_err(|_| NOT_GENERATED)?;
            hmac(algorithm, secret.expose())
        }
        Kind::Ec(curve, parameters) => {
            ec(curve, EcdsaKeyPair::generate(parameters).map_err(|_| NOT_GENERATED)?)
        }
        Kind::Ed25519 => ed25519(Ed25519KeyPair::generate().map_err(|_| NOT_GENERATED)?),
        Kind::Rsa(encoding) => {
            let size = match rsa_bits {
                2048 => KeySize::Rsa2048,
                _ => KeySize::Rsa3072,
            };
            rsa(encoding, RsaKeyPair::generate(size).map_err(|_| NOT_GENERATED)?)
        }
    }
}

#[cfg(feature = "issue")]
pub(super) fn read(algorithm: Algorithm, private: &[u8]) -> Result<Made, KeyRejected> {
    match Kind::of(algorithm) {
        Kind::Hmac => hmac(algorithm, private),
        Kind::Ec(curve, parameters) => {
            ec(curve, EcdsaKeyPair::from_pkcs8(parameters, private).map_err(|_| NOT_READ)?)
        }
        Kind::Ed25519 => ed25519(Ed25519KeyPair::from_pkcs8(private).map_err(|_| NOT_READ)?),
        Kind::Rsa(encoding) => {
            rsa(encoding, RsaKeyPair::from_pkcs8(private).map_err(|_| NOT_READ)?)
        }
    }
}

pub(super) fn hmac(algorithm: Algorithm, secret: &[u8]) -> Result<Made, KeyRejected> {
    Ok(Made {
        public: Material::hmac(algorithm, secret)?,
        signer: Box::new(hmac::Key::new(hmac_algorithm(algorithm), secret)),
        private: Secret::new(secret.to_vec()),
    })
}

fn ec(curve: Curve, pair: EcdsaKeyPair) -> Result<Made, KeyRejected> {
    let private = pair.to_pkcs8v1().map_err(|_| NOT_GENERATED)?;
    Ok(Made {
        public: Material::from_point(curve, pair.public_key().as_ref())?,
        private: Secret::new(private.as_ref().to_vec()),
        signer: Box::new(pair),
    })
}

fn ed25519(pair: Ed25519KeyPair) -> Result<Made, KeyRejected> {
    let private = pair.to_pkcs8v1().map_err(|_| NOT_GENERATED)?;
    Ok(Made {
        public: Material::ed25519(pair.public_key().as_ref())?,
        private: Secret::new(private.as_ref().to_vec()),
        signer: Box::new(pair),
    })
}

fn rsa(encoding: &'static dyn RsaEncoding, pair: RsaKeyPair) -> Result<Made, KeyRejected> {
    let private = pair.as_der().map_err(|_| NOT_GENERATED)?;
    Ok(Made {
        public: Material::from_pkcs1(pair.public_key().as_ref())?,
        private: Secret::new(private.as_ref().to_vec()),
        signer: Box::new(Rsa { pair, encoding }),
    })
}

/// What kind of key an algorithm signs with.
enum Kind {
    Hmac,
    Ec(Curve, &'static EcdsaSigningAlgorithm),
    Ed25519,
    Rsa(&'static dyn RsaEncoding),
}

impl Kind {
    fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => Self::Hmac,
            Algorithm::Es256 => Self::Ec(Curve::P256, &signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => Self::Ec(Curve::P384, &signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::Es512 => Self::Ec(Curve::P521, &signature::ECDSA_P521_SHA512_FIXED_SIGNING),
            Algorithm::EdDsa => Self::Ed25519,
            Algorithm::Rs256 => Self::Rsa(&signature::RSA_PKCS1_SHA256),
            Algorithm::Rs384 => Self::Rsa(&signature::RSA_PKCS1_SHA384),
            Algorithm::Rs512 => Self::Rsa(&signature::RSA_PKCS1_SHA512),
            Algorithm::Ps256 => Self::Rsa(&signature::RSA_PSS_SHA256),
            Algorithm::Ps384 => Self::Rsa(&signature::RSA_PSS_SHA384),
            Algorithm::Ps512 => Self::Rsa(&signature::RSA_PSS_SHA512),
        }
    }
}

struct Rsa {
    pair: RsaKeyPair,
    encoding: &'static dyn RsaEncoding,
}

impl Sign for Rsa {
    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyRejected> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = rand::SystemRandom::new();
        self.pair.sign(self.encoding, &random, input, &mut signature).map_err(|_| NOT_SIGNED)?;
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
            .map_err(|_| NOT_SIGNED)
    }
}

impl Sign for Ed25519KeyPair {
    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyRejected> {
        Ok(Self::sign(self, input).as_ref().to_vec())
    }
}
