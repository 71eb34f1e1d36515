use std::{borrow::Cow, fmt, mem, sync::Arc};

use serde::{
    Deserializer,
    de::{
        self, DeserializeOwned, DeserializeSeed, IgnoredAny, IntoDeserializer, MapAccess, Visitor,
        value::{BorrowedStrDeserializer, SeqDeserializer},
    },
};
use serde_json::{Number, value::RawValue};

use super::{
    audience::Audience,
    registered::{Claim, FOREIGN, Registered, numeric_date},
    scopes::{Found, ScopeClaim},
    text::Text,
};
use crate::{
    json::{Names, StringSeed},
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
#[derive(Debug)]
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
    let mut state = State::new(payload, sources);
    let mut json = serde_json::Deserializer::from_str(payload);
    let custom = C::deserialize(Reader { json: &mut json, state: &mut state }).map_err(
        |Refused(fault)| match fault {
            // A value may fail the application's type because it is no JSON at all.
            ClaimsFault::Mismatch(_) if serde_json::from_str::<IgnoredAny>(payload).is_err() => {
                ClaimsFault::Malformed
            }
            fault => fault,
        },
    )?;
    json.end().map_err(|_| ClaimsFault::Malformed)?;
    Ok(Claims { registered: state.registered, custom, found: state.found })
}

/// The `iss` of a payload whose signature was not checked yet, to select among the configured
/// issuers. Stops at the claim; the full reading comes after the signature.
pub(crate) fn issuer_of(payload: &str) -> Result<Option<Cow<'_, str>>, ClaimsFault> {
    struct FirstIssuer<'a, 'de>(&'a mut Option<Cow<'de, str>>);

    impl<'de> Visitor<'de> for FirstIssuer<'_, 'de> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(name) = map.next_key_seed(StringSeed)? {
                if name == "iss" {
                    *self.0 = Some(map.next_value_seed(StringSeed)?);
                    return Ok(());
                }
                map.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }

    let mut issuer = None;
    let mut json = serde_json::Deserializer::from_str(payload);
    match json.deserialize_map(FirstIssuer(&mut issuer)) {
        Err(_) if issuer.is_none() => Err(ClaimsFault::Malformed),
        // With the issuer found, the rest of the object was left unread on purpose.
        _ => Ok(issuer),
    }
}

/// What is noted while the application's type deserializes.
struct State<'de, 's> {
    payload: &'de str,
    sources: &'s [ScopeClaim],
    names: Names<'de>,
    registered: Registered,
    found: Found,
    fault: Option<ClaimsFault>,
}

impl<'de, 's> State<'de, 's> {
    fn new(payload: &'de str, sources: &'s [ScopeClaim]) -> Self {
        Self {
            payload,
            sources,
            names: Names::default(),
            registered: Registered::default(),
            found: Found::default(),
            fault: None,
        }
    }

    /// Reads one string claim, notes it, and hands it on.
    fn text<A: MapAccess<'de>>(
        &self,
        map: &mut A,
        name: &str,
    ) -> Result<(Text, Cow<'de, str>), Refused> {
        let text = map.next_value_seed(StringSeed).map_err(|_| Refused::claim(name))?;
        Ok((Text::locate(&text, self.payload), text))
    }
}

/// The deserializer that the application's type gets: the JSON one, seen through [`Members`].
struct Reader<'a, 'de, 's, 'j> {
    json: &'j mut serde_json::Deserializer<serde_json::de::StrRead<'de>>,
    state: &'a mut State<'de, 's>,
}

impl<'de> Reader<'_, 'de, '_, '_> {
    fn object<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let Self { json, state } = self;
        json.deserialize_map(Outer { visitor, state })
            .map_err(|_| Refused(state.fault.take().unwrap_or(ClaimsFault::Malformed)))
    }

    fn drained<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.object(IgnoredAny)?;
        visitor.visit_unit()
    }
}

impl<'de> Deserializer<'de> for Reader<'_, 'de, '_, '_> {
    type Error = Refused;

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        seq tuple tuple_struct map struct enum identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.object(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.drained(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.drained(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.drained(visitor)
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

/// Puts [`Members`] between the JSON object and the application's visitor.
struct Outer<'a, 'de, 's, V> {
    visitor: V,
    state: &'a mut State<'de, 's>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Outer<'_, 'de, '_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object of claims")
    }

    fn visit_map<A>(self, map: A) -> Result<V::Value, A::Error>
    where
        A: MapAccess<'de>,
    {
        let Self { visitor, state } = self;
        let mut members = Members { map, state, pending: Pending::Nothing };
        let result = visitor.visit_map(&mut members).and_then(|value| {
            // A visitor may stop early; verification must still see every claim.
            while (&mut members).next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(value)
        });
        result.map_err(|Refused(fault)| {
            members.state.fault = Some(fault);
            de::Error::custom("refused")
        })
    }
}

/// The members of the claims object. Every value that verification needs is noted before the
/// application's type gets to see it.
struct Members<'a, 'de, 's, A> {
    map: A,
    state: &'a mut State<'de, 's>,
    pending: Pending<'de>,
}

/// The member whose name was read and whose value was not.
enum Pending<'de> {
    Nothing,
    Registered(Claim, Cow<'de, str>),
    Other(Cow<'de, str>),
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for &mut Members<'_, 'de, '_, A> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        let Some(name) = self.map.next_key_seed(StringSeed).map_err(|_| Refused::malformed())?
        else {
            return Ok(None);
        };
        if !self.state.names.insert(&name) {
            return Err(Refused::malformed());
        }
        let key = hand_on(&name, seed).map_err(|_| Refused::mismatch(&name))?;
        if let Some(foreign) = FOREIGN.iter().find(|foreign| **foreign == name) {
            self.state.registered.foreign = Some(foreign);
        }
        self.pending = match Claim::of(&name) {
            Some(claim) => Pending::Registered(claim, name),
            None => Pending::Other(name),
        };
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        match mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Nothing => Err(Refused(ClaimsFault::Mismatch(None))),
            Pending::Registered(claim, name) => self.registered(claim, &name, seed),
            Pending::Other(name) => self.other(&name, seed),
        }
    }
}

impl<'de, A: MapAccess<'de>> Members<'_, 'de, '_, A> {
    fn registered<V: DeserializeSeed<'de>>(
        &mut self,
        claim: Claim,
        name: &str,
        seed: V,
    ) -> Result<V::Value, Refused> {
        match claim {
            Claim::Issuer | Claim::Subject | Claim::ClientId | Claim::TokenId => {
                let (noted, text) = self.state.text(&mut self.map, name)?;
                let registered = &mut self.state.registered;
                let place = match claim {
                    Claim::Issuer => &mut registered.issuer,
                    Claim::Subject => &mut registered.subject,
                    Claim::ClientId => &mut registered.client_id,
                    _ => &mut registered.token_id,
                };
                *place = Some(noted);
                hand_on(&text, seed).map_err(|_| Refused::mismatch(name))
            }
            Claim::ExpiresAt | Claim::NotBefore | Claim::IssuedAt => {
                let number: Number = self.map.next_value().map_err(|_| Refused::claim(name))?;
                let time = numeric_date(&number).ok_or_else(|| Refused::claim(name))?;
                let registered = &mut self.state.registered;
                let place = match claim {
                    Claim::ExpiresAt => &mut registered.expires_at,
                    Claim::NotBefore => &mut registered.not_before,
                    _ => &mut registered.issued_at,
                };
                *place = Some(time);
                seed.deserialize(&number).map_err(|_| Refused::mismatch(name))
            }
            Claim::Audience => self.audience(name, seed),
            Claim::Confirmation => {
                self.state.registered.confirmation = true;
                self.map.next_value_seed(seed).map_err(|_| Refused::mismatch(name))
            }
        }
    }

    fn audience<V: DeserializeSeed<'de>>(
        &mut self,
        name: &str,
        seed: V,
    ) -> Result<V::Value, Refused> {
        let payload = self.state.payload;
        let audience =
            self.map.next_value_seed(Audience::seed(payload)).map_err(|_| Refused::claim(name))?;
        let value = match &audience {
            Audience::One(text) => seed.deserialize(text.of(payload).into_deserializer()),
            Audience::Many(_) => seed.deserialize(SeqDeserializer::new(audience.iter(payload))),
        };
        self.state.registered.audience = Some(audience);
        value.map_err(|_: Refused| Refused::mismatch(name))
    }

    fn other<V: DeserializeSeed<'de>>(&mut self, name: &str, seed: V) -> Result<V::Value, Refused> {
        let (sources, payload) = (self.state.sources, self.state.payload);
        let mut matching = sources.iter().filter(|source| source.starts_with(name));
        let Some(source) = matching.next() else {
            return self.map.next_value_seed(seed).map_err(|_| Refused::mismatch(name));
        };
        if source.is_plain_string() && sources.len() == 1 {
            let (_, text) = self.state.text(&mut self.map, name)?;
            let found = &mut self.state.found;
            found.collect_text(source, &text, payload).map_err(|_| Refused::claim(name))?;
            return hand_on(&text, seed).map_err(|_| Refused::mismatch(name));
        }
        let raw: &RawValue = self.map.next_value().map_err(|_| Refused::claim(name))?;
        for source in std::iter::once(source).chain(matching) {
            let found = &mut self.state.found;
            found.collect(source, raw.get(), payload).map_err(|_| Refused::claim(name))?;
        }
        let mut json = serde_json::Deserializer::from_str(raw.get());
        seed.deserialize(&mut json).map_err(|_| Refused::mismatch(name))
    }
}

fn hand_on<'de, S: DeserializeSeed<'de>>(
    text: &Cow<'de, str>,
    seed: S,
) -> Result<S::Value, Refused> {
    match text {
        Cow::Borrowed(text) => seed.deserialize(BorrowedStrDeserializer::new(text)),
        Cow::Owned(text) => seed.deserialize(text.as_str().into_deserializer()),
    }
}

/// The error that the application's type sees. It keeps names and drops values, which must not
/// get into logs.
#[derive(Debug)]
struct Refused(ClaimsFault);

impl Refused {
    fn malformed() -> Self {
        Self(ClaimsFault::Malformed)
    }

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
