use serde::de::{IgnoredAny, MapAccess};

use crate::{
    crypto::Algorithm,
    error::AuthErrorKind,
    json::{Members, Taken, Unique, members_are_unique, surrogates_are_paired, within_limits},
};

/// The longest key id, in bytes; a token with a longer one is refused without a look at the keys.
pub(crate) const MAX_KEY_ID: usize = 256;

/// The JOSE header parameters that verification uses (RFC 7515 section 4.1).
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<Box<str>>,
    pub(crate) media_type: MediaType,
}

/// The `typ` of a token, compared as a media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaType {
    Absent,
    AtJwt,
    Jwt,
    Other,
}

impl Header {
    /// Reads a decoded header. Keys that it may carry or point to (`jwk`, `jku`, `x5u`, `x5c`)
    /// are ignored like all that is unknown (RFC 8725 section 3.10).
    pub(crate) fn parse(json: &[u8]) -> Result<Self, AuthErrorKind> {
        if !within_limits(json) || !surrogates_are_paired(json) {
            return Err(AuthErrorKind::Malformed);
        }
        let text = std::str::from_utf8(json).map_err(|_| AuthErrorKind::Malformed)?;
        if !members_are_unique(text) {
            return Err(AuthErrorKind::Malformed);
        }
        let raw =
            Unique::read(text, Parameters::default()).map_err(|_| AuthErrorKind::Malformed)?;
        // Nothing critical is understood here, `b64` included (RFC 7515 section 4.1.11, RFC 7797),
        // and a nested JWT is not unpacked (RFC 7519 section 5.2).
        if raw.extension || raw.content_type.is_some_and(|cty| is_media_type(&cty, "jwt")) {
            return Err(AuthErrorKind::UnsupportedHeader);
        }
        let algorithm = raw.algorithm.ok_or(AuthErrorKind::Malformed)?;
        let algorithm = Algorithm::of_name(&algorithm).ok_or(AuthErrorKind::AlgorithmNotAllowed)?;
        if raw.key_id.as_ref().is_some_and(|key_id| key_id.len() > MAX_KEY_ID) {
            return Err(AuthErrorKind::UnknownKey);
        }
        let media_type = raw.media_type.map_or(MediaType::Absent, |typ| MediaType::of(&typ));
        Ok(Self { algorithm, key_id: raw.key_id.map(Into::into), media_type })
    }
}

impl MediaType {
    fn of(typ: &str) -> Self {
        match typ {
            _ if is_media_type(typ, "at+jwt") => Self::AtJwt,
            _ if is_media_type(typ, "jwt") => Self::Jwt,
            _ => Self::Other,
        }
    }
}

/// Compares as RFC 7515 section 4.1.9 says: without regard to case, and a value without `/` as if
/// `application/` stood before it.
fn is_media_type(value: &str, subtype: &str) -> bool {
    const PREFIX: &str = "application/";
    let value = match value.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => value,
    };
    value.eq_ignore_ascii_case(subtype)
}

/// The parameters as they stand in the header.
#[derive(Default)]
struct Parameters {
    algorithm: Option<String>,
    key_id: Option<String>,
    media_type: Option<String>,
    content_type: Option<String>,
    extension: bool,
}

impl<'de> Members<'de> for Parameters {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<Taken, A::Error> {
        match name {
            "alg" => self.algorithm = Some(object.next_value()?),
            "kid" => self.key_id = Some(object.next_value()?),
            "typ" => self.media_type = Some(object.next_value()?),
            "cty" => self.content_type = Some(object.next_value()?),
            "crit" | "b64" => {
                self.extension = true;
                object.next_value::<IgnoredAny>()?;
            }
            _ => return Ok(Taken::No),
        }
        Ok(Taken::Yes)
    }
}
