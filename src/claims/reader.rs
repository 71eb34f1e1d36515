use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{self, DeserializeOwned, DeserializeSeed, MapAccess, Visitor},
};

use super::{
    audience::Audience,
    pool::Pool,
    registered::{Claim, Registered, SessionId, is_foreign, is_of_id_token, numeric_date},
    scopes::{Collector, ScopeClaim},
};
use crate::{
    error::{AuthError, AuthErrorKind},
    json::{Malformed, Name, Names, Plain, Scanner, Value},
    scope::Spans,
    span::Span,
};

/// What verification needs of the claims: places in the text that [`read`] returns.
pub(crate) struct Noted {
    pub(crate) registered: Registered,
    /// The granted scopes, in the order of the text.
    pub(crate) scopes: Spans,
}

impl Noted {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { registered: Registered::default(), scopes: Spans::new() }
    }
}

/// Why a payload cannot be used.
#[derive(Clone, Debug)]
enum ClaimsFault {
    /// It is not one JSON object without repeated members.
    Malformed,
    /// A claim that verification reads has the wrong type or an impossible value.
    Claim(Box<str>),
    /// The application's type does not fit; the name of the claim, if it is known.
    Mismatch(Option<Box<str>>),
}

/// Reads the claims once: what verification needs, the scopes from `sources`, and the
/// application's type.
///
/// Returns the text that the places are in, which is the payload and more behind it if need be, and
/// the application's type, or that it does not fit; the other claims were read all the same. The
/// rest is noted where it stays, as moving it costs as much as reading two claims.
#[inline]
pub(crate) fn read<'p, C: DeserializeOwned>(
    payload: &'p str,
    sources: &[ScopeClaim],
    noted: &mut Noted,
) -> Result<(Cow<'p, str>, Result<C, AuthError>), AuthError> {
    let mut reader = Reader::new(Scanner::open(payload)?, payload, sources, noted);
    let custom = C::deserialize(&mut reader);
    reader.finish()?;
    let text = reader.pool.into_text();
    noted.scopes.normalize(&text);
    Ok((text, custom.map_err(|Refused(fault)| fault.into())))
}

/// The `iss` of a payload whose signature was not checked yet, to select among the configured
/// issuers. Stops at the claim; the full reading comes after the signature.
pub(crate) fn issuer_of(payload: &str) -> Result<Cow<'_, str>, AuthError> {
    let mut scanner = Scanner::open(payload)?;
    while let Some(name) = scanner.name()? {
        let value = scanner.value()?;
        if name == "iss" {
            let issuer = text(value).ok_or_else(|| ClaimsFault::Claim(name.as_ref().into()))?;
            return Ok(issuer);
        }
    }
    Err(AuthError::of_claim(AuthErrorKind::MissingClaim, "iss"))
}

/// A string, borrowed where it has no escapes.
fn text(value: Value<'_>) -> Option<Cow<'_, str>> {
    match value.plain {
        Plain::Text(text) => Some(Cow::Borrowed(text)),
        Plain::Natural(_) => None,
        Plain::No => serde_json::from_str(value.raw).ok().map(Cow::Owned),
    }
}

/// Goes through the claims and notes what verification needs before the application's type gets to
/// see it.
struct Reader<'de, 's> {
    scanner: Scanner<'de>,
    sources: &'s [ScopeClaim],
    /// One bit for each claim of [`Claim`] that was seen.
    seen: u16,
    /// All other names that were seen.
    names: Names<'de>,
    /// The member that was read last.
    member: (Cow<'de, str>, Value<'de>),
    pool: Pool<'de>,
    noted: &'s mut Noted,
    /// The first fault of the claims themselves.
    fault: Option<ClaimsFault>,
}

impl<'de, 's> Reader<'de, 's> {
    #[inline]
    fn new(
        scanner: Scanner<'de>,
        payload: &'de str,
        sources: &'s [ScopeClaim],
        noted: &'s mut Noted,
    ) -> Self {
        Self {
            scanner,
            sources,
            seen: 0,
            names: Names::default(),
            member: (Cow::Borrowed(""), Value::NULL),
            pool: Pool::new(payload),
            noted,
            fault: None,
        }
    }

    /// Reads what the application's type left, and whatever that type made of our faults.
    fn finish(&mut self) -> Result<(), AuthError> {
        while self.fault.is_none() && self.next_member().unwrap_or_default() {}
        match self.fault.take() {
            Some(fault) => Err(fault.into()),
            None => Ok(self.scanner.end()?),
        }
    }

    /// Keeps a fault, whatever the application's type makes of the error.
    #[cold]
    fn keep(&mut self, fault: ClaimsFault) -> Refused {
        self.fault.get_or_insert_with(|| fault.clone());
        Refused(fault)
    }

    /// Reads the next member and notes it if verification needs it; `false` at the end of the object.
    fn next_member(&mut self) -> Result<bool, Refused> {
        let name = match self.scanner.name() {
            Ok(Some(name)) => name,
            Ok(None) => return Ok(false),
            Err(malformed) => return Err(self.keep(malformed.into())),
        };
        let claim = Claim::of(&name);
        let is_new = match claim {
            Some(claim) => {
                let bit = 1 << claim as u16;
                let is_new = self.seen & bit == 0;
                self.seen |= bit;
                is_new
            }
            None => self.names.insert(&name),
        };
        if !is_new {
            return Err(self.keep(ClaimsFault::Malformed));
        }
        let value = match self.scanner.value() {
            Ok(value) => value,
            Err(malformed) => return Err(self.keep(malformed.into())),
        };
        let noted = match claim {
            Some(claim) => self.note(claim, value),
            None => self.note_other(&name, value),
        };
        if noted.is_none() {
            return Err(self.keep(ClaimsFault::Claim(name.into())));
        }
        self.member = (name, value);
        Ok(true)
    }

    /// Nothing if the value is not of the claim's type.
    #[inline]
    fn note(&mut self, claim: Claim, value: Value<'de>) -> Option<()> {
        match claim {
            Claim::Issuer => self.noted.registered.issuer = Some(self.place(value)?),
            Claim::Subject => self.noted.registered.subject = Some(self.place(value)?),
            Claim::ClientId => self.noted.registered.client_id = Some(self.place(value)?),
            Claim::TokenId => self.noted.registered.token_id = Some(self.place(value)?),
            Claim::Audience => {
                self.noted.registered.audience = Some(Audience::read(value, &mut self.pool)?);
            }
            Claim::ExpiresAt => self.noted.registered.expires_at = Some(numeric_date(value)?),
            Claim::NotBefore => self.noted.registered.not_before = Some(numeric_date(value)?),
            Claim::IssuedAt => self.noted.registered.issued_at = Some(numeric_date(value)?),
            Claim::Confirmation => self.noted.registered.confirmation = true,
            // Its meaning is that of one provider: of another type it means nothing.
            Claim::TokenUse => {
                self.noted.registered.token_use = text(value).map(|text| self.pool.place(&text));
            }
            Claim::SessionId => {
                self.noted.registered.session_id =
                    self.place(value).map_or(SessionId::Odd, SessionId::Text);
            }
        }
        Some(())
    }

    /// Claims without a meaning of their own may hold scopes, or tell another kind of JWT.
    #[inline]
    fn note_other(&mut self, name: &str, value: Value<'de>) -> Option<()> {
        if is_foreign(name) {
            self.noted.registered.foreign = Some(self.pool.place(name));
        } else if is_of_id_token(name) {
            self.noted.registered.id_token = Some(self.pool.place(name));
        }
        let mut collector = Collector { pool: &mut self.pool, scopes: &mut self.noted.scopes };
        for source in self.sources.iter().filter(|source| source.starts_with(name)) {
            collector.read(source, value).ok()?;
        }
        Some(())
    }

    #[inline]
    fn place(&mut self, value: Value<'de>) -> Option<Span> {
        text(value).map(|text| self.pool.place(&text))
    }
}

impl<'de> MapAccess<'de> for Reader<'de, '_> {
    type Error = Refused;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        if !self.next_member()? {
            return Ok(None);
        }
        let (name, _) = &self.member;
        seed.deserialize(Name(name)).map(Some).map_err(|_| Refused::mismatch(name))
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        let (name, value) = &self.member;
        seed.deserialize(*value).map_err(|_| Refused::mismatch(name))
    }
}

/// The application's type, whatever its form, is made of the members.
impl<'de> Deserializer<'de> for &mut Reader<'de, '_> {
    type Error = Refused;

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        seq tuple tuple_struct map struct enum identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_map(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }
}

impl From<ClaimsFault> for AuthError {
    #[cold]
    fn from(fault: ClaimsFault) -> Self {
        match fault {
            ClaimsFault::Malformed => AuthErrorKind::Malformed.into(),
            ClaimsFault::Claim(name) => Self::of_claim(AuthErrorKind::MalformedClaim, &name),
            ClaimsFault::Mismatch(Some(name)) => {
                Self::of_claim(AuthErrorKind::ClaimsMismatch, &name)
            }
            ClaimsFault::Mismatch(None) => AuthErrorKind::ClaimsMismatch.into(),
        }
    }
}

impl From<Malformed> for AuthError {
    fn from(Malformed: Malformed) -> Self {
        ClaimsFault::Malformed.into()
    }
}

impl From<Malformed> for ClaimsFault {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

/// The error that the application's type sees. It keeps names and drops values, which must not
/// get into logs.
#[derive(Debug)]
struct Refused(ClaimsFault);

impl Refused {
    fn mismatch(name: &str) -> Self {
        Self(ClaimsFault::Mismatch(Some(name.into())))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims cannot be used")
    }
}

impl std::error::Error for Refused {}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self(ClaimsFault::Mismatch(None))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::mismatch(field)
    }
}
