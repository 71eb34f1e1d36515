use std::{borrow::Cow, fmt, mem, sync::Arc};

use serde::{
    Deserializer,
    de::{self, DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};

use super::{
    audience::Audience,
    registered::{Claim, Registered, numeric_date},
    scopes::{Found, ScopeClaim},
    text::Text,
};
use crate::{
    json::{Malformed, Name, Names, Plain, Scanner, Value},
    scope::{ScopeError, ScopeSet},
};

/// All that one pass over the payload yields.
pub(crate) struct Claims<C> {
    pub(crate) registered: Registered,
    pub(crate) custom: C,
    found: Found,
}

impl<C> Claims<C> {
    /// The granted scopes; they share `payload`, which must be the text that was read.
    pub(crate) fn take_scopes(&mut self, payload: &Arc<str>) -> Result<ScopeSet, ScopeError> {
        mem::take(&mut self.found).into_set(payload)
    }
}

/// Why a payload cannot be used.
#[derive(Clone, Debug)]
pub(crate) enum ClaimsFault {
    /// It is not one JSON object without repeated members.
    Malformed,
    /// A claim that verification reads has the wrong type or an impossible value.
    Claim(Box<str>),
    /// The application's type does not fit; the name of the claim, if it is known.
    Mismatch(Option<Box<str>>),
}

/// Reads the claims once: what verification needs, the scopes from `sources`, and the
/// application's type.
pub(crate) fn read<C: DeserializeOwned>(
    payload: &str,
    sources: &[ScopeClaim],
) -> Result<Claims<C>, ClaimsFault> {
    let mut reader = Reader::open(payload, sources)?;
    let custom = C::deserialize(&mut reader).map_err(|Refused(fault)| fault)?;
    // A type that passes over errors must not pass over ours.
    if let Some(fault) = reader.fault {
        return Err(fault);
    }
    reader.scanner.end()?;
    Ok(Claims { registered: reader.registered, custom, found: reader.found })
}

/// The `iss` of a payload whose signature was not checked yet, to select among the configured
/// issuers. Stops at the claim; the full reading comes after the signature.
pub(crate) fn issuer_of(payload: &str) -> Result<Option<Cow<'_, str>>, ClaimsFault> {
    let mut scanner = Scanner::open(payload)?;
    while let Some(name) = scanner.name()? {
        let value = scanner.value()?;
        if name == "iss" {
            return text(value).map(Some).ok_or_else(|| ClaimsFault::Claim("iss".into()));
        }
    }
    Ok(None)
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
    payload: &'de str,
    sources: &'s [ScopeClaim],
    names: Names<'de>,
    /// The name of the member whose value comes next.
    pending: Cow<'de, str>,
    registered: Registered,
    found: Found,
    /// The first fault of the claims themselves.
    fault: Option<ClaimsFault>,
}

impl<'de, 's> Reader<'de, 's> {
    fn open(payload: &'de str, sources: &'s [ScopeClaim]) -> Result<Self, Malformed> {
        Ok(Self {
            scanner: Scanner::open(payload)?,
            payload,
            sources,
            names: Names::default(),
            pending: Cow::Borrowed(""),
            registered: Registered::default(),
            found: Found::default(),
            fault: None,
        })
    }

    /// Lets the application's type read the members, and then reads those that it left.
    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        let value = visitor.visit_map(&mut *self)?;
        while self.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(value)
    }

    /// Keeps a fault, whatever the application's type makes of the error.
    #[cold]
    fn keep(&mut self, fault: ClaimsFault) -> Refused {
        self.fault.get_or_insert_with(|| fault.clone());
        Refused(fault)
    }

    /// Notes the value if verification needs it.
    fn note(&mut self, name: &str, value: Value<'de>) -> Result<(), Refused> {
        let fault = || Refused::claim(name);
        let payload = self.payload;
        let noted = || text(value).map(|text| Text::locate(&text, payload)).ok_or_else(fault);
        let Some(claim) = Claim::of(name) else { return self.collect_scopes(name, value) };
        let registered = &mut self.registered;
        match claim {
            Claim::Issuer => registered.issuer = Some(noted()?),
            Claim::Subject => registered.subject = Some(noted()?),
            Claim::ClientId => registered.client_id = Some(noted()?),
            Claim::TokenId => registered.token_id = Some(noted()?),
            Claim::Audience => {
                let audience = Audience::read(value, payload);
                registered.audience = Some(audience.ok_or_else(fault)?);
            }
            Claim::ExpiresAt => {
                registered.expires_at = Some(numeric_date(value).ok_or_else(fault)?)
            }
            Claim::NotBefore => {
                registered.not_before = Some(numeric_date(value).ok_or_else(fault)?)
            }
            Claim::IssuedAt => registered.issued_at = Some(numeric_date(value).ok_or_else(fault)?),
            Claim::Confirmation => registered.confirmation = true,
            Claim::Foreign => registered.foreign = Some(name.into()),
        }
        Ok(())
    }

    fn collect_scopes(&mut self, name: &str, value: Value<'de>) -> Result<(), Refused> {
        for source in self.sources.iter().filter(|source| source.starts_with(name)) {
            let (found, payload) = (&mut self.found, self.payload);
            let collected = match value.plain {
                Plain::Text(text) if source.is_top_level() => {
                    found.collect_text(source, text, payload).is_ok()
                }
                _ => found.collect(source, value.raw, payload).is_ok(),
            };
            if !collected {
                return Err(Refused::claim(name));
            }
        }
        Ok(())
    }
}

impl<'de> MapAccess<'de> for Reader<'de, '_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        let name = self.scanner.name().map_err(|malformed| self.keep(malformed.into()))?;
        let Some(name) = name else { return Ok(None) };
        if !self.names.insert(&name) {
            return Err(self.keep(ClaimsFault::Malformed));
        }
        let key = seed.deserialize(Name(&name)).map_err(|_| Refused::mismatch(&name))?;
        self.pending = name;
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        let name = mem::replace(&mut self.pending, Cow::Borrowed(""));
        let value = self.scanner.value().map_err(|malformed| self.keep(malformed.into()))?;
        self.note(&name, value).map_err(|Refused(fault)| self.keep(fault))?;
        seed.deserialize(value).map_err(|_| Refused::mismatch(&name))
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
        self.object(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.object(IgnoredAny)?;
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
    fn claim(name: &str) -> Self {
        Self(ClaimsFault::Claim(name.into()))
    }

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
