//! The backend that goes straight to `aws-lc-rs`, with keys that are parsed once.

use aws_lc_rs::{
    constant_time, digest, hmac,
    signature::{
        self, EcdsaVerificationAlgorithm, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents,
    },
};

use super::{
    algorithm::Algorithm,
    ecdsa::DerSignature,
    material::{Curve, KeyRejected, Material},
};

/// What one key became.
pub(crate) enum PreparedKey {
    /// One parsed key for each of the algorithms that an RSA key may serve, in the order of
    /// [`RSA`].
    Rsa(Vec<ParsedPublicKey>),
    /// A point of this curve: one algorithm.
    Ec(Algorithm, Curve, ParsedPublicKey),
    Ed25519(ParsedPublicKey),
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
        Curve::P256 => (Algorithm::Es256, &signature::ECDSA_P256_SHA256_ASN1),
        Curve::P384 => (Algorithm::Es384, &signature::ECDSA_P384_SHA384_ASN1),
        Curve::P521 => (Algorithm::Es512, &signature::ECDSA_P521_SHA512_ASN1),
    }
}

/// The hash of an RSA or ECDSA algorithm.
const fn hash(algorithm: Algorithm) -> &'static digest::Algorithm {
    match algorithm {
        Algorithm::Rs512 | Algorithm::Ps512 | Algorithm::Es512 => &digest::SHA512,
        Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => &digest::SHA384,
        _ => &digest::SHA256,
    }
}

/// The same as `verify_sig`, which makes a context for the hash that is copied once more.
fn verify_hashed(
    key: &ParsedPublicKey,
    algorithm: Algorithm,
    input: &[u8],
    signature: &[u8],
) -> bool {
    let digest = digest::digest(hash(algorithm), input);
    key.verify_digest_sig(&digest, signature).is_ok()
}

pub(super) const fn hmac_algorithm(algorithm: Algorithm) -> hmac::Algorithm {
    match algorithm {
        Algorithm::Hs384 => hmac::HMAC_SHA384,
        Algorithm::Hs512 => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    }
}

/// The same as `hmac::verify`, which copies the state once more: compares in constant time, and the
/// full length only.
fn verify_hmac(key: &hmac::Key, input: &[u8], tag: &[u8]) -> bool {
    let mut expected = [0; digest::MAX_OUTPUT_LEN];
    hmac::sign_to_buffer(key, input, &mut expected)
        .is_ok_and(|expected| constant_time::verify_slices_are_equal(expected, tag).is_ok())
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
                Ok(Self::Ec(algorithm, *curve, key))
            }
            Material::Ed25519(point) => {
                let key = ParsedPublicKey::new(&signature::ED25519, point)
                    .map_err(|_| KeyRejected("the Ed25519 key is not a point of the curve"))?;
                Ok(Self::Ed25519(key))
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
                .is_some_and(|key| verify_hashed(key, algorithm, input, signature)),
            Self::Ec(own, curve, key) => {
                *own == algorithm
                    && DerSignature::from_fixed(signature, curve.coordinate_len())
                        .is_some_and(|der| verify_hashed(key, algorithm, input, der.as_bytes()))
            }
            Self::Ed25519(key) => {
                algorithm == Algorithm::EdDsa && key.verify_sig(input, signature).is_ok()
            }
            Self::Hmac(own, key) => *own == algorithm && verify_hmac(key, input, signature),
        }
    }
}
