use std::fmt;

use serde::{Deserializer, de};

use super::pool::Pool;
use crate::{
    json::{Plain, StringSeed, Value},
    span::Span,
};

/// The `aud` claim: one string or an array of strings (RFC 7519 section 4.1.3).
#[derive(Clone, Debug)]
pub(crate) enum Audience {
    One(Span),
    Many(Box<[Span]>),
}

impl Audience {
    /// The audiences in the order of the token, given its text.
    pub(crate) fn iter<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let all = match self {
            Self::One(audience) => std::slice::from_ref(audience),
            Self::Many(audiences) => audiences,
        };
        all.iter().map(|audience| audience.of(text))
    }

    /// What it takes beside itself, in bytes.
    #[cfg(feature = "cache")]
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Many(audiences) => size_of_val(&**audiences),
        }
    }

    /// Reads one string or an array of strings; `None` for anything else, elements included.
    #[inline]
    pub(super) fn read(value: Value<'_>, pool: &mut Pool<'_>) -> Option<Self> {
        match value.plain {
            Plain::Text(text) => Some(Self::One(pool.place(text))),
            Plain::Natural(_) => None,
            Plain::No => value.deserialize_any(AudienceVisitor(pool)).ok(),
        }
    }
}

struct AudienceVisitor<'a, 'p>(&'a mut Pool<'p>);

impl<'de> de::Visitor<'de> for AudienceVisitor<'_, '_> {
    type Value = Audience;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Audience, E> {
        Ok(Audience::One(self.0.place(text)))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut array: A) -> Result<Audience, A::Error> {
        let mut audiences = Vec::new();
        while let Some(text) = array.next_element_seed(StringSeed)? {
            audiences.push(self.0.place(&text));
        }
        Ok(Audience::Many(audiences.into()))
    }
}
