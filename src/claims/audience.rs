use std::fmt;

use serde::de;

use super::text::Text;
use crate::json::StringSeed;

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

    pub(super) fn seed(payload: &str) -> AudienceSeed<'_> {
        AudienceSeed(payload)
    }
}

/// Reads one string or an array of strings; an element of another type is an error.
pub(super) struct AudienceSeed<'p>(&'p str);

impl<'de> de::DeserializeSeed<'de> for AudienceSeed<'_> {
    type Value = Audience;

    fn deserialize<D: de::Deserializer<'de>>(self, value: D) -> Result<Audience, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> de::Visitor<'de> for AudienceSeed<'_> {
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
