use super::{algorithm::Algorithm, ed25519};
use crate::secret::Secret;

/// The least and the most bits of an RSA modulus (RFC 7518 sections 3.3 and 8.6).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// What a key is made of. Its lengths are checked when it is made, so it can only be of a shape
/// that a backend knows.
pub(crate) enum Material {
    /// Modulus and exponent, big-endian and without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// An uncompressed point: 4, x, y.
    Ec { curve: Curve, point: Vec<u8> },
    /// An encoded point.
    Ed25519([u8; 32]),
    /// A secret for one algorithm.
    Hmac { algorithm: Algorithm, secret: Secret<Vec<u8>> },
}

/// A curve of RFC 7518 section 6.2.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

/// Why a key cannot be used. Names no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct KeyRejected(pub(crate) &'static str);

impl Material {
    /// An RSA key of 2048 to 8192 bits with an odd exponent from 65537 up. Leading zeros are
    /// dropped.
    pub(crate) fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyRejected> {
        let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
        let bits = n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
        if !RSA_BITS.contains(&bits) {
            return Err(KeyRejected("an RSA modulus must have 2048 to 8192 bits"));
        }
        if n.last().is_none_or(|last| last % 2 == 0) {
            return Err(KeyRejected("an RSA modulus must be odd"));
        }
        // Beyond 4 bytes an exponent only costs time: RFC 7518 section 8.6 asks for a limit.
        let exponent =
            (e.len() <= 4).then(|| e.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)));
        match exponent {
            Some(exponent) if exponent >= 65537 && exponent % 2 == 1 => {
                Ok(Self::Rsa { n: n.to_vec(), e: e.to_vec() })
            }
            _ => Err(KeyRejected("an RSA exponent must be odd, at least 65537 and below 2^32")),
        }
    }

    /// A point on a curve by its full-width coordinates; that it lies on the curve is checked by
    /// the backend.
    pub(crate) fn ec(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, KeyRejected> {
        let width = curve.coordinate_len();
        if x.len() != width || y.len() != width {
            return Err(KeyRejected("an EC coordinate must have the full width of its curve"));
        }
        let point = [&[4], x, y].concat();
        Ok(Self::Ec { curve, point })
    }

    /// An Ed25519 public key: 32 bytes, canonical, a point of the curve and not of small order.
    pub(crate) fn ed25519(x: &[u8]) -> Result<Self, KeyRejected> {
        let key = x.try_into().map_err(|_| KeyRejected("an Ed25519 key must have 32 bytes"))?;
        if !ed25519::is_strict_point(&key) {
            return Err(KeyRejected("an Ed25519 key must be canonical and not of small order"));
        }
        if !ed25519::is_on_curve(&key) {
            return Err(KeyRejected("the Ed25519 key is not a point of the curve"));
        }
        Ok(Self::Ed25519(key))
    }

    /// A secret with at least as many bytes as the hash has.
    pub(crate) fn hmac(algorithm: Algorithm, key: &[u8]) -> Result<Self, KeyRejected> {
        if !algorithm.is_hmac() {
            return Err(KeyRejected("a secret fits HS256, HS384 and HS512 only"));
        }
        if key.len() < algorithm.min_hmac_key() {
            return Err(KeyRejected(match algorithm {
                Algorithm::Hs384 => "an HS384 key must have at least 48 random bytes",
                Algorithm::Hs512 => "an HS512 key must have at least 64 random bytes",
                _ => "an HS256 key must have at least 32 random bytes",
            }));
        }
        Ok(Self::Hmac { algorithm, secret: Secret::new(key.to_vec()) })
    }

    /// Whether the other key is the same one.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rsa { n, e }, Self::Rsa { n: other_n, e: other_e }) => {
                (n, e) == (other_n, other_e)
            }
            (Self::Ec { point, .. }, Self::Ec { point: other, .. }) => point == other,
            (Self::Ed25519(point), Self::Ed25519(other)) => point == other,
            // Both come from the configuration: nobody can learn anything by trying.
            (Self::Hmac { algorithm, secret }, Self::Hmac { algorithm: other, secret: others }) => {
                algorithm == other && secret.expose() == others.expose()
            }
            _ => false,
        }
    }

    /// Whether the key can serve this algorithm: `kty`, `crv` and algorithm agree (RFC 8725
    /// section 3.1).
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{EdDsa, Es256, Es384, Es512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match self {
            Self::Rsa { .. } => matches!(algorithm, Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512),
            Self::Ec { curve: Curve::P256, .. } => algorithm == Es256,
            Self::Ec { curve: Curve::P384, .. } => algorithm == Es384,
            Self::Ec { curve: Curve::P521, .. } => algorithm == Es512,
            Self::Ed25519(_) => algorithm == EdDsa,
            Self::Hmac { algorithm: own, .. } => algorithm == *own,
        }
    }
}

impl Curve {
    /// The name (`crv`).
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// The curve of this name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.name() == name)
    }

    /// Bytes of one coordinate.
    pub(crate) const fn coordinate_len(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}
