//! The pure-Rust backend: RustCrypto through `jsonwebtoken`, called explicitly and never through
//! its process-wide default, which panics if it is ambiguous.

use jsonwebtoken::{
    DecodingKey,
    crypto::{JwtVerifier, rust_crypto::DEFAULT_PROVIDER},
};

use super::{
    algorithm::Algorithm,
    material::{Curve, KeyRejected, Material},
};

/// The most bits of an RSA modulus that the `rsa` crate takes.
const MAX_RSA_BITS: usize = 4096;

/// The key as `jsonwebtoken` wants it. It makes a verifier of it at each call, as its verifiers
/// cannot be shared between threads.
pub(crate) struct PreparedKey(DecodingKey);

impl PreparedKey {
    pub(super) fn new(material: &Material) -> Result<Self, KeyRejected> {
        let (key, algorithm) = match material {
            Material::Rsa { n, .. } if n.len() * 8 > MAX_RSA_BITS => {
                return Err(KeyRejected("this backend takes RSA keys of up to 4096 bits"));
            }
            Material::Rsa { n, e } => {
                (DecodingKey::from_rsa_raw_components(n, e), Algorithm::Rs256)
            }
            Material::Ec { curve: Curve::P256, point } => {
                (DecodingKey::from_ec_der(point), Algorithm::Es256)
            }
            Material::Ec { curve: Curve::P384, point } => {
                (DecodingKey::from_ec_der(point), Algorithm::Es384)
            }
            Material::Ec { curve: Curve::P521, .. } => {
                return Err(KeyRejected("this backend does not know P-521"));
            }
            Material::Ed25519(point) => (DecodingKey::from_ed_der(point), Algorithm::EdDsa),
            Material::Hmac { algorithm, secret } => {
                (DecodingKey::from_secret(secret.expose()), *algorithm)
            }
        };
        let prepared = Self(key);
        // Verifying anything makes the backend look at the key; only its own verdict on the key
        // matters here.
        match prepared.verifier(algorithm) {
            Some(_) if prepared.is_valid(material) => Ok(prepared),
            _ => Err(KeyRejected(match material {
                Material::Ec { .. } => "the EC point is not on its curve",
                Material::Rsa { .. } => "the RSA key is not valid",
                Material::Ed25519(_) => "the Ed25519 key is not a point of the curve",
                Material::Hmac { .. } => "the secret is not valid",
            })),
        }
    }

    pub(super) fn verify(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
        self.verifier(algorithm)
            .is_some_and(|verifier| verifier.verify(input, &signature.to_vec()).is_ok())
    }

    fn verifier(&self, algorithm: Algorithm) -> Option<Box<dyn JwtVerifier>> {
        (DEFAULT_PROVIDER.verifier_factory)(&foreign(algorithm)?, &self.0).ok()
    }

    /// EC points are parsed when a verifier is made; the others are parsed with the first
    /// signature only, so they are looked at here.
    fn is_valid(&self, material: &Material) -> bool {
        match material {
            Material::Ed25519(point) => ed25519_dalek::VerifyingKey::from_bytes(point).is_ok(),
            Material::Rsa { n, e } => {
                let (n, e) = (rsa::BigUint::from_bytes_be(n), rsa::BigUint::from_bytes_be(e));
                rsa::RsaPublicKey::new(n, e).is_ok()
            }
            Material::Ec { .. } | Material::Hmac { .. } => true,
        }
    }
}

/// The same algorithm in `jsonwebtoken`, which knows no ES512.
pub(super) const fn foreign(algorithm: Algorithm) -> Option<jsonwebtoken::Algorithm> {
    use jsonwebtoken::Algorithm as Foreign;
    Some(match algorithm {
        Algorithm::Hs256 => Foreign::HS256,
        Algorithm::Hs384 => Foreign::HS384,
        Algorithm::Hs512 => Foreign::HS512,
        Algorithm::Rs256 => Foreign::RS256,
        Algorithm::Rs384 => Foreign::RS384,
        Algorithm::Rs512 => Foreign::RS512,
        Algorithm::Ps256 => Foreign::PS256,
        Algorithm::Ps384 => Foreign::PS384,
        Algorithm::Ps512 => Foreign::PS512,
        Algorithm::Es256 => Foreign::ES256,
        Algorithm::Es384 => Foreign::ES384,
        Algorithm::EdDsa => Foreign::EdDSA,
        Algorithm::Es512 => return None,
    })
}
