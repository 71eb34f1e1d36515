//! Public keys in DER: `SubjectPublicKeyInfo` (RFC 5280 section 4.1) and the older `RSAPublicKey`
//! (RFC 8017 appendix A.1.1).

use spki::{
    ObjectIdentifier, SubjectPublicKeyInfoRef,
    der::{Decode, Reader, SliceReader, asn1::UintRef},
};

use super::material::{Curve, KeyRejected, Material};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

impl Material {
    /// Reads a `SubjectPublicKeyInfo`.
    pub(crate) fn from_spki(der: &[u8]) -> Result<Self, KeyRejected> {
        let malformed = |_| KeyRejected("the DER is no SubjectPublicKeyInfo");
        let info = SubjectPublicKeyInfoRef::try_from(der).map_err(malformed)?;
        let key = info
            .subject_public_key
            .as_bytes()
            .ok_or(KeyRejected("the key is not a whole number of bytes"))?;
        match info.algorithm.oid {
            RSA => Self::from_pkcs1(key),
            ED25519 => Self::ed25519(key),
            EC => {
                let curve = match info.algorithm.parameters_oid() {
                    Ok(P256) => Curve::P256,
                    Ok(P384) => Curve::P384,
                    Ok(P521) => Curve::P521,
                    _ => return Err(KeyRejected("the curve is not one of P-256, P-384, P-521")),
                };
                Self::from_point(curve, key)
            }
            _ => Err(KeyRejected("the key is not RSA, EC or Ed25519")),
        }
    }

    /// Reads an `RSAPublicKey`.
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyRejected> {
        let read = || {
            let mut reader = SliceReader::new(der)?;
            let numbers = reader.sequence(|sequence| {
                Ok((UintRef::decode(sequence)?, UintRef::decode(sequence)?))
            })?;
            reader.finish(numbers)
        };
        let (n, e) = read().map_err(|_| KeyRejected("the DER is no RSAPublicKey"))?;
        Self::rsa(n.as_bytes(), e.as_bytes())
    }

    /// Reads an uncompressed point (SEC 1 section 2.3.3).
    pub(crate) fn from_point(curve: Curve, point: &[u8]) -> Result<Self, KeyRejected> {
        let width = curve.coordinate_len();
        match point.split_first() {
            Some((4, coordinates)) if coordinates.len() == 2 * width => {
                let (x, y) = coordinates.split_at(width);
                Self::ec(curve, x, y)
            }
            _ => Err(KeyRejected("an EC point must be uncompressed and of full width")),
        }
    }
}
