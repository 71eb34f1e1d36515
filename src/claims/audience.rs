use std::fmt;

use serde::{Deserializer, de};

use super::text::Text;
use crate::json::{Plain, StringSeed, Value};

/// The `aud` claim: one string or an array of strings (RFC 7519 section 4.1.3).
#[derive(Clone, Debug)]
pub(crate) enum Audience {
    One(Text),
    Many(Box<[Text]>),
}

impl Audience {
    /// The audiences in the order of the token.
    pub(crate) fn iter<'a>(&'a self, payload: &'a str) -> impl Iterator<Item = &'a str> {
        let all = match self {
            Self::One(audience) => std::slice::from_ref(audience),
            Self::Many(audiences) => audiences,
        };
        all.iter().map(|audience| audience.of(payload))
    }

    /// Reads one string or an array of strings; `None` for anything else, elements included.
    pub(super) fn read(value: Value<'_>, payload: &str) -> Option<Self> {
        match value.plain {
            Plain::Text(text) => Some(Self::One(Text::locate(text, payload))),
            Plain::Natural(_) => None,
            Plain::No => value.deserialize_any(AudienceVisitor(payload)).ok(),
        }
    }
}

struct AudienceVisitor<'p>(&'p str);

impl<'de> de::Visitor<'de> for AudienceVisitor<'_> {
    type Value = Audience;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Audience, E> {
        Ok(Audience::One(Text::locate(text, self.0)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Audience, E> {
        Ok(Audience::One(Text::Copy(text.into())))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut array: A) -> Result<Audience, A::Error> {
        let mut audiences = Vec::new();
        while let Some(text) = array.next_element_seed(StringSeed)? {
            audiences.push(Text::locate(&text, self.0));
        }
        Ok(Audience::Many(audiences.into()))
    }
}
