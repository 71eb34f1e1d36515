//! One JSON Web Key (RFC 7517), read strictly where a member decides about its use, and with no eye
//! for members that are not known.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use serde::de::{IgnoredAny, MapAccess};
use serde_json::value::RawValue;

use super::fixed::{KeyError, checked_id};
use crate::{
    crypto::{Algorithm, Curve, Material},
    json::{Members, Taken, Unique},
    jws,
};

/// The private members of all key types (RFC 7518 section 6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a key of another use, such as encryption, is skipped.
pub(super) const NOT_FOR_SIGNATURES: &str = "the JWK is not for signatures (use)";

/// What a key says about its use.
#[derive(Default)]
pub(super) struct Jwk {
    pub(super) id: Option<String>,
    pub(super) algorithm: Option<Algorithm>,
    kty: Option<String>,
    alg: Option<String>,
    usage: Option<String>,
    operations: Option<Vec<String>>,
    /// Whose tokens the key is for, as Microsoft Entra says in the keys that its tenants share.
    pub(super) issuer: Option<String>,
    private: bool,
    parameters: Parameters,
}

/// The parameters of all kinds of public keys (RFC 7518 section 6, RFC 8037 section 2). Those of
/// another kind than the key's are as unknown as any.
#[derive(Default)]
struct Parameters {
    curve: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    /// Reads the members that decide about the use of the key.
    pub(super) fn parse(json: &str) -> Result<Self, KeyError> {
        let malformed = |_| KeyError::new("the JWK is malformed");
        let mut jwk = Unique::read(json, Self::default()).map_err(malformed)?;
        if let Some(alg) = &jwk.alg {
            jwk.algorithm = Algorithm::of_name(alg);
        }
        Ok(jwk)
    }

    /// The checked parameters, if the key may verify signatures at all.
    pub(super) fn material(&self) -> Result<Material, KeyError> {
        if self.kty.as_deref() == Some("oct") {
            return Err(KeyError::new("a secret (kty oct) has no place in a key document"));
        }
        if self.private {
            return Err(KeyError::new("the JWK has private members"));
        }
        self.check_use()?;
        if let Some(id) = &self.id {
            checked_id(id)?;
        }
        if self.alg.is_some() && self.algorithm.is_none() {
            return Err(KeyError::new("the algorithm of the JWK is not known here"));
        }
        let material = self.parameters.material(self.kty.as_deref())?;
        if self.algorithm.is_some_and(|algorithm| !material.fits(algorithm)) {
            return Err(KeyError::new("kty, crv and alg of the JWK do not agree"));
        }
        Ok(material)
    }

    /// RFC 7517 sections 4.2 and 4.3: the two must allow verifying and not contradict each other.
    fn check_use(&self) -> Result<(), KeyError> {
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(KeyError::new(NOT_FOR_SIGNATURES));
        }
        let Some(operations) = &self.operations else {
            return Ok(());
        };
        let mut seen = HashSet::new();
        if !operations.iter().all(|operation| seen.insert(operation.as_str())) {
            return Err(KeyError::new("key_ops of the JWK has repeats"));
        }
        if !seen.contains("verify") {
            return Err(KeyError::new("the JWK is not for verifying (key_ops)"));
        }
        let for_signatures = |operation: &String| matches!(operation.as_str(), "sign" | "verify");
        if self.usage.is_some() && !operations.iter().all(for_signatures) {
            return Err(KeyError::new("use and key_ops of the JWK contradict each other"));
        }
        Ok(())
    }
}

impl<'de> Members<'de> for Jwk {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<Taken, A::Error> {
        match name {
            "kty" => self.kty = Some(object.next_value()?),
            "kid" => self.id = Some(object.next_value()?),
            "alg" => self.alg = Some(object.next_value()?),
            "use" => self.usage = Some(object.next_value()?),
            "key_ops" => self.operations = Some(object.next_value()?),
            "issuer" => self.issuer = text(object.next_value()?),
            "crv" => self.parameters.curve = text(object.next_value()?),
            "n" => self.parameters.n = text(object.next_value()?),
            "e" => self.parameters.e = text(object.next_value()?),
            "x" => self.parameters.x = text(object.next_value()?),
            "y" => self.parameters.y = text(object.next_value()?),
            _ if PRIVATE.contains(&name) => {
                self.private = true;
                object.next_value::<IgnoredAny>()?;
            }
            _ => return Ok(Taken::No),
        }
        Ok(Taken::Yes)
    }
}

/// Whether the document gives a secret away: that is the issuer's fault, and a grave one, however
/// malformed the key is otherwise.
pub(super) fn has_private_members(json: &str) -> bool {
    let members = serde_json::from_str::<HashMap<Cow<'_, str>, IgnoredAny>>(json);
    members.is_ok_and(|members| PRIVATE.iter().any(|name| members.contains_key(*name)))
}

/// Nothing if the value is no string: it may belong to another kind of key.
fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

impl Parameters {
    fn material(&self, kty: Option<&str>) -> Result<Material, KeyError> {
        let Self { curve, n, e, x, y } = self;
        let number = |text: &Option<String>| {
            let text = text.as_ref().ok_or(UNKNOWN)?;
            jws::decode_to_vec(text).ok_or(KeyError::new("a member of the JWK is no base64url"))
        };
        let material = match (kty, curve.as_deref()) {
            (Some("RSA"), _) => Material::rsa(&number(n)?, &number(e)?),
            (Some("EC"), Some(name)) => {
                let curve = Curve::of_name(name).ok_or(UNKNOWN)?;
                Material::ec(curve, &number(x)?, &number(y)?)
            }
            (Some("OKP"), Some("Ed25519")) => Material::ed25519(&number(x)?),
            _ => return Err(UNKNOWN),
        };
        Ok(material?)
    }
}

const UNKNOWN: KeyError =
    KeyError::new("kty or crv of the JWK is not known here, or a member is missing");

/// The required members only, sorted by name and without white space: what RFC 7638 hashes.
/// Base64url needs no escapes.
pub(super) fn canonical(material: &Material) -> String {
    match material {
        Material::Rsa { n, e } => {
            format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, jws::encode(e), jws::encode(n))
        }
        Material::Ec { curve, point } => {
            let (x, y) = coordinates(*curve, point);
            let crv = curve.name();
            format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#)
        }
        Material::Ed25519(x) => {
            format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, jws::encode(x))
        }
        Material::Hmac { secret, .. } => {
            format!(r#"{{"k":"{}","kty":"oct"}}"#, jws::encode(secret.expose()))
        }
    }
}

/// The public members with key id, algorithm and use, or nothing for a secret.
#[cfg(any(feature = "issue", feature = "test-util"))]
pub(super) fn public(key: &super::VerifyingKey) -> Option<serde_json::Value> {
    if matches!(key.material(), Material::Hmac { .. }) {
        return None;
    }
    let mut jwk: serde_json::Value = serde_json::from_str(&canonical(key.material())).ok()?;
    let members = jwk.as_object_mut()?;
    members.insert("use".to_owned(), "sig".into());
    if let Some(id) = key.id() {
        members.insert("kid".to_owned(), id.into());
    }
    if let Some(algorithm) = key.algorithm() {
        members.insert("alg".to_owned(), algorithm.name().into());
    }
    Some(jwk)
}

/// The two halves of an uncompressed point, base64url.
fn coordinates(curve: Curve, point: &[u8]) -> (String, String) {
    let (x, y) = point[1..].split_at(curve.coordinate_len());
    (jws::encode(x), jws::encode(y))
}
