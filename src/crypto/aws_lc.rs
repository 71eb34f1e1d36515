//! The backend that goes straight to `aws-lc-rs`, with keys that are parsed once.

use aws_lc_rs::{
    hmac,
    signature::{
        self, EcdsaVerificationAlgorithm, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents,
    },
};

use super::{
    algorithm::Algorithm,
    material::{Curve, KeyRejected, Material},
};

/// What one key became.
pub(crate) enum PreparedKey {
    /// One parsed key for each of the algorithms that an RSA key may serve, in the order of
    /// [`RSA`].
    Rsa(Vec<ParsedPublicKey>),
    /// Elliptic curves, Edwards ones included: one algorithm.
    Point(Algorithm, ParsedPublicKey),
    /// A prepared HMAC key.
    Hmac(Algorithm, Box<hmac::Key>),
}

const RSA: [(Algorithm, &RsaParameters); 6] = [
    (Algorithm::Rs256, &signature::RSA_PKCS1_2048_8192_SHA256),
    (Algorithm::Rs384, &signature::RSA_PKCS1_2048_8192_SHA384),
    (Algorithm::Rs512, &signature::RSA_PKCS1_2048_8192_SHA512),
    (Algorithm::Ps256, &signature::RSA_PSS_2048_8192_SHA256),
    (Algorithm::Ps384, &signature::RSA_PSS_2048_8192_SHA384),
    (Algorithm::Ps512, &signature::RSA_PSS_2048_8192_SHA512),
];

const fn ecdsa(curve: Curve) -> (Algorithm, &'static EcdsaVerificationAlgorithm) {
    match curve {
        Curve::P256 => (Algorithm::Es256, &signature::ECDSA_P256_SHA256_FIXED),
        Curve::P384 => (Algorithm::Es384, &signature::ECDSA_P384_SHA384_FIXED),
        Curve::P521 => (Algorithm::Es512, &signature::ECDSA_P521_SHA512_FIXED),
    }
}

pub(super) const fn hmac_algorithm(algorithm: Algorithm) -> hmac::Algorithm {
    match algorithm {
        Algorithm::Hs384 => hmac::HMAC_SHA384,
        Algorithm::Hs512 => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    }
}

impl PreparedKey {
    pub(super) fn new(material: &Material) -> Result<Self, KeyRejected> {
        match material {
            Material::Rsa { n, e } => {
                let key = RsaPublicKeyComponents { n, e };
                let parse = |(_, parameters)| key.to_parsed_public_key(parameters);
                let keys = RSA.into_iter().map(parse).collect::<Result<Vec<_>, _>>();
                keys.map(Self::Rsa).map_err(|_| KeyRejected("the RSA key is not valid"))
            }
            Material::Ec { curve, point } => {
                let (algorithm, parameters) = ecdsa(*curve);
                let key = ParsedPublicKey::new(parameters, point)
                    .map_err(|_| KeyRejected("the EC point is not on its curve"))?;
                Ok(Self::Point(algorithm, key))
            }
            Material::Ed25519(point) => {
                let key = ParsedPublicKey::new(&signature::ED25519, point)
                    .map_err(|_| KeyRejected("the Ed25519 key is not a point of the curve"))?;
                Ok(Self::Point(Algorithm::EdDsa, key))
            }
            Material::Hmac { algorithm, secret } => {
                let key = hmac::Key::new(hmac_algorithm(*algorithm), secret.expose());
                Ok(Self::Hmac(*algorithm, Box::new(key)))
            }
        }
    }

    pub(super) fn verify(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa(keys) => RSA
                .iter()
                .position(|(served, _)| *served == algorithm)
                .and_then(|position| keys.get(position))
                .is_some_and(|key| key.verify_sig(input, signature).is_ok()),
            Self::Point(own, key) => *own == algorithm && key.verify_sig(input, signature).is_ok(),
            // Compares in constant time, and the full length only.
            Self::Hmac(own, key) => {
                *own == algorithm && hmac::verify(key, input, signature).is_ok()
            }
        }
    }
}
