use jsonwebtoken::{EncodingKey, crypto::rust_crypto::DEFAULT_PROVIDER};
use p256::{elliptic_curve::sec1::ToEncodedPoint as _, pkcs8::EncodePrivateKey as _};
use rand_core::{OsRng, RngCore as _};
use rsa::{pkcs1::EncodeRsaPrivateKey as _, traits::PublicKeyParts as _};

#[cfg(feature = "issue")]
use super::NOT_READ;
use super::{Algorithm, KeyRejected, Made, Material, NOT_GENERATED, NOT_SIGNED, Sign};
use crate::{
    crypto::{Curve, rust_crypto::foreign},
    secret::Secret,
};

pub(super) fn generate(algorithm: Algorithm, rsa_bits: usize) -> Result<Made, KeyRejected> {
    match algorithm {
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
            let mut secret = Secret::new(vec![0; algorithm.min_hmac_key()]);
            OsRng.try_fill_bytes(secret.expose_mut()).map_err(|_| NOT_GENERATED)?;
            hmac(algorithm, secret.expose())
        }
        Algorithm::Es256 => p256(&p256::SecretKey::random(&mut OsRng)),
        Algorithm::Es384 => p384(&p384::SecretKey::random(&mut OsRng)),
        Algorithm::Es512 => Err(NO_P521),
        Algorithm::EdDsa => ed25519(&ed25519_dalek::SigningKey::generate(&mut OsRng)),
        _ => {
            let key = rsa::RsaPrivateKey::new(&mut OsRng, rsa_bits);
            rsa(algorithm, &key.map_err(|_| NOT_GENERATED)?)
        }
    }
}

#[cfg(feature = "issue")]
pub(super) fn read(algorithm: Algorithm, private: &[u8]) -> Result<Made, KeyRejected> {
    use p256::pkcs8::DecodePrivateKey as _;
    match algorithm {
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => hmac(algorithm, private),
        Algorithm::Es256 => p256(&p256::SecretKey::from_pkcs8_der(private).map_err(|_| NOT_READ)?),
        Algorithm::Es384 => p384(&p384::SecretKey::from_pkcs8_der(private).map_err(|_| NOT_READ)?),
        Algorithm::Es512 => Err(NO_P521),
        Algorithm::EdDsa => {
            let key = ed25519_dalek::SigningKey::from_pkcs8_der(private);
            ed25519(&key.map_err(|_| NOT_READ)?)
        }
        _ => rsa(algorithm, &rsa::RsaPrivateKey::from_pkcs8_der(private).map_err(|_| NOT_READ)?),
    }
}

pub(super) fn hmac(algorithm: Algorithm, secret: &[u8]) -> Result<Made, KeyRejected> {
    let (public, key) = (Material::hmac(algorithm, secret)?, EncodingKey::from_secret(secret));
    made(algorithm, public, key, Secret::new(secret.to_vec()))
}

fn p256(key: &p256::SecretKey) -> Result<Made, KeyRejected> {
    let der = key.to_pkcs8_der().map_err(|_| NOT_GENERATED)?;
    let public = key.public_key().to_encoded_point(false);
    let public = Material::from_point(Curve::P256, public.as_bytes())?;
    made(Algorithm::Es256, public, EncodingKey::from_ec_der(der.as_bytes()), secret(&der))
}

fn p384(key: &p384::SecretKey) -> Result<Made, KeyRejected> {
    let der = key.to_pkcs8_der().map_err(|_| NOT_GENERATED)?;
    let public = key.public_key().to_encoded_point(false);
    let public = Material::from_point(Curve::P384, public.as_bytes())?;
    made(Algorithm::Es384, public, EncodingKey::from_ec_der(der.as_bytes()), secret(&der))
}

fn ed25519(key: &ed25519_dalek::SigningKey) -> Result<Made, KeyRejected> {
    let der = key.to_pkcs8_der().map_err(|_| NOT_GENERATED)?;
    let public = Material::ed25519(key.verifying_key().as_bytes())?;
    made(Algorithm::EdDsa, public, EncodingKey::from_ed_der(der.as_bytes()), secret(&der))
}

fn rsa(algorithm: Algorithm, key: &rsa::RsaPrivateKey) -> Result<Made, KeyRejected> {
    let public = Material::rsa(&key.n().to_bytes_be(), &key.e().to_bytes_be())?;
    let der = key.to_pkcs8_der().map_err(|_| NOT_GENERATED)?;
    // The signer wants the inner structure only.
    let inner = key.to_pkcs1_der().map_err(|_| NOT_GENERATED)?;
    made(algorithm, public, EncodingKey::from_rsa_der(inner.as_bytes()), secret(&der))
}

fn made(
    algorithm: Algorithm,
    public: Material,
    key: EncodingKey,
    private: Secret<Vec<u8>>,
) -> Result<Made, KeyRejected> {
    let algorithm = foreign(algorithm).ok_or(NOT_GENERATED)?;
    Ok(Made { public, signer: Box::new(Key { algorithm, key }), private })
}

fn secret(document: &p256::pkcs8::SecretDocument) -> Secret<Vec<u8>> {
    Secret::new(document.as_bytes().to_vec())
}

const NO_P521: KeyRejected = KeyRejected("this backend does not know P-521");

struct Key {
    algorithm: jsonwebtoken::Algorithm,
    key: EncodingKey,
}

impl Sign for Key {
    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyRejected> {
        let signer = (DEFAULT_PROVIDER.signer_factory)(&self.algorithm, &self.key);
        signer.map_err(|_| NOT_SIGNED)?.try_sign(input).map_err(|_| NOT_SIGNED)
    }
}
