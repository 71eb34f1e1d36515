use std::{fmt, sync::Arc};

use rustls_pki_types::pem::{self, SectionKind};

use super::jwk::{self, Jwk};
use crate::{
    crypto::{Algorithm, AlgorithmSet, Curve, KeyRejected, Material, sha256},
    json::within_limits,
    jws,
};

/// A public key, or a shared secret, that signatures are verified with.
///
/// Cheap to clone. `Debug` shows what kind of key it is and never the key. See the
/// [module docs](crate::key) for an example.
#[derive(Clone)]
pub struct VerifyingKey {
    id: Option<Arc<str>>,
    algorithm: Option<Algorithm>,
    /// Whose tokens the key is for, if it says so; matters among tenants that share their keys.
    issuer: Option<Arc<str>>,
    material: Arc<Material>,
}

impl VerifyingKey {
    /// The longest text or encoding of one key, in bytes.
    pub const MAX_LEN: usize = 64 * 1024;

    /// Reads a public key in PEM, section `PUBLIC KEY` (RFC 7468 section 13).
    ///
    /// PEM has no key id; a token with a `kid` only ever meets keys of that id, so give the key
    /// the issuer's one [`with_id`](Self::with_id).
    ///
    /// # Errors
    ///
    /// [`KeyError`] if there is not exactly one such section, or the key is too weak or unknown.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let mut rest = bounded(pem.as_ref())?;
        let (kind, der) = pem::from_buf(&mut rest)
            .map_err(|_| KeyError::new("the PEM is malformed"))?
            .ok_or(KeyError::new(
                "there is no PEM section PUBLIC KEY (convert RSA PUBLIC KEY with openssl rsa -RSAPublicKey_in -pubout)",
            ))?;
        if !matches!(pem::from_buf(&mut rest), Ok(None)) {
            return Err(KeyError::new(
                "there is more than one PEM section: read one key at a time",
            ));
        }
        match kind {
            SectionKind::PublicKey => Self::from_der(der),
            SectionKind::Certificate => Err(KeyError::new(
                "this is a certificate: extract its public key (openssl x509 -pubkey -noout)",
            )),
            SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey => {
                Err(KeyError::new("this is a private key: a verifier needs the public one only"))
            }
            _ => Err(KeyError::new("the PEM section is no public key")),
        }
    }

    /// Reads a DER-encoded `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is malformed, or the key is too weak or unknown.
    pub fn from_der(der: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Ok(Self::of(Material::from_spki(bounded(der.as_ref())?)?))
    }

    /// Reads one public JSON Web Key (RFC 7517): `kty` RSA, EC or OKP with Ed25519.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is malformed, secret (`oct`, private members), not meant for verifying
    /// signatures (`use`, `key_ops`), or too weak or unknown.
    pub fn from_jwk(json: &str) -> Result<Self, KeyError> {
        if !within_limits(bounded(json.as_bytes())?) {
            return Err(KeyError::new("the JWK is nested too deeply or has too many members"));
        }
        let jwk = Jwk::parse(json)?;
        let material = jwk.material()?;
        let key = Self {
            id: jwk.id.map(Into::into),
            algorithm: jwk.algorithm,
            issuer: jwk.issuer.map(Into::into),
            material: Arc::new(material),
        };
        Ok(key)
    }

    /// A secret shared with the issuer: random bytes, at least as many as the hash has (32, 48 or
    /// 64; RFC 7518 section 3.2).
    ///
    /// Whoever can verify with it can also sign with it. Never derive it from a password.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the algorithm is no HMAC or the secret too short.
    pub fn hmac(algorithm: Algorithm, random_key: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::of(Material::hmac(algorithm, random_key)?))
    }

    /// The same key with this key id, 1 to 256 bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the id has another length.
    pub fn with_id(self, id: impl AsRef<str>) -> Result<Self, KeyError> {
        let id = checked_id(id.as_ref())?;
        Ok(Self { id: Some(id.into()), ..self })
    }

    /// The same key for this algorithm only. RSA keys could serve several.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the key cannot serve the algorithm.
    pub fn with_algorithm(self, algorithm: Algorithm) -> Result<Self, KeyError> {
        if self.material.fits(algorithm) {
            Ok(Self { algorithm: Some(algorithm), ..self })
        } else {
            Err(KeyError::new("the key cannot serve this algorithm"))
        }
    }

    /// The key id (`kid`).
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The algorithm that the key is restricted to, if it says so itself.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// The SHA-256 thumbprint (RFC 7638, RFC 8037 section 2), base64url: a stable, collision-free
    /// name of the key. Key id and algorithm do not change it.
    ///
    /// That of a secret is as secret: whoever sees it can try guesses (RFC 7638 section 7).
    ///
    /// # Errors
    ///
    /// [`KeyError`] if no cryptographic backend is compiled in.
    pub fn thumbprint(&self) -> Result<String, KeyError> {
        let digest = sha256(jwk::canonical(&self.material).as_bytes());
        digest.map(jws::encode).ok_or(KeyError::new("no cryptographic backend is compiled in"))
    }

    /// The public members as a JSON Web Key, or nothing for a secret.
    #[cfg(any(feature = "issue", feature = "test-util"))]
    pub(crate) fn to_jwk(&self) -> Option<serde_json::Value> {
        jwk::public(self)
    }

    pub(crate) fn of(material: Material) -> Self {
        Self { id: None, algorithm: None, issuer: None, material: Arc::new(material) }
    }

    pub(crate) fn issuer(&self) -> Option<&Arc<str>> {
        self.issuer.as_ref()
    }

    pub(crate) fn material(&self) -> &Material {
        &self.material
    }

    /// Whether the other key is the same one, of the same id and for the same algorithms.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.id, self.algorithm, &self.issuer) == (&other.id, other.algorithm, &other.issuer)
            && self.material.is_same(&other.material)
    }

    /// The algorithms that the key may serve among those that are allowed.
    pub(crate) fn serves(&self, allowed: AlgorithmSet) -> AlgorithmSet {
        let own = |algorithm: &Algorithm| {
            self.material.fits(*algorithm) && self.algorithm.is_none_or(|only| only == *algorithm)
        };
        allowed.iter().filter(own).collect()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &*self.material {
            Material::Rsa { .. } => "RSA",
            Material::Ec { curve: Curve::P256, .. } => "P-256",
            Material::Ec { curve: Curve::P384, .. } => "P-384",
            Material::Ec { curve: Curve::P521, .. } => "P-521",
            Material::Ed25519(_) => "Ed25519",
            Material::Hmac { .. } => "HMAC",
        };
        f.debug_struct("VerifyingKey")
            .field("kind", &kind)
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// Why a key cannot be used. Says nothing of the key itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key cannot be used: {reason}")]
pub struct KeyError {
    reason: &'static str,
}

impl KeyError {
    pub(crate) const fn new(reason: &'static str) -> Self {
        Self { reason }
    }

    pub(super) const fn reason(&self) -> &'static str {
        self.reason
    }
}

impl From<KeyRejected> for KeyError {
    fn from(KeyRejected(reason): KeyRejected) -> Self {
        Self { reason }
    }
}

fn bounded(key: &[u8]) -> Result<&[u8], KeyError> {
    if key.len() <= VerifyingKey::MAX_LEN {
        Ok(key)
    } else {
        Err(KeyError::new("the key is longer than 64 KiB"))
    }
}

pub(super) fn checked_id(id: &str) -> Result<&str, KeyError> {
    if (1..=jws::MAX_KEY_ID).contains(&id.len()) {
        Ok(id)
    } else {
        Err(KeyError::new("a key id must have 1 to 256 bytes"))
    }
}
