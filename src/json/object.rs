use std::{fmt, marker::PhantomData};

use serde::de::{self, IgnoredAny};

use super::{names::Names, string::StringSeed};

/// Reads a JSON object member by member and refuses repeated names, known or not (RFC 7515
/// section 4, RFC 7519 section 4).
///
/// `visit` gets each name and the value to read; it returns `false` for a member that it does not
/// want, whose value is then skipped.
pub(crate) struct Unique<S>(S);

/// Takes the members of an object that it knows.
pub(crate) trait Members<'de> {
    /// Reads the value of the member `name` from `object`, or leaves it to be skipped.
    fn member<A: de::MapAccess<'de>>(
        &mut self,
        name: &str,
        object: &mut A,
    ) -> Result<Taken, A::Error>;
}

/// Whether a member was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Yes,
    No,
}

impl<S> Unique<S> {
    /// Reads all of `text`, which must be one JSON object and nothing else.
    pub(crate) fn read<'de>(text: &'de str, members: S) -> Result<S, serde_json::Error>
    where
        S: Members<'de>,
    {
        let mut json = serde_json::Deserializer::from_str(text);
        let members = Self::read_value(&mut json, members)?;
        json.end()?;
        Ok(members)
    }

    /// Reads one value, which must be an object.
    pub(crate) fn read_value<'de, D: de::Deserializer<'de>>(
        value: D,
        members: S,
    ) -> Result<S, D::Error>
    where
        S: Members<'de>,
    {
        struct Visitor<'de, S>(S, PhantomData<&'de ()>);

        impl<'de, S: Members<'de>> de::Visitor<'de> for Visitor<'de, S> {
            type Value = S;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: de::MapAccess<'de>>(mut self, mut map: A) -> Result<S, A::Error> {
                let mut names = Names::default();
                while let Some(name) = map.next_key_seed(StringSeed)? {
                    if !names.insert(&name) {
                        return Err(de::Error::custom("a member stands twice"));
                    }
                    if self.0.member(&name, &mut map)? == Taken::No {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(self.0)
            }
        }

        value.deserialize_map(Visitor(members, PhantomData))
    }
}
