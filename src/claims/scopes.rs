use std::fmt;

use serde::de;

use super::{
    pool::Pool,
    registered::{Claim, is_foreign, is_of_id_token},
};
use crate::{
    json::{Members, Plain, StringSeed, Taken, Unique, Value},
    scope::{ScopeToken, Spans, is_scope_token},
};

/// Where a token says which scopes it grants.
///
/// Issuers differ: RFC 9068 has one `scope` string, others an array in `scp`, `roles` or a nested
/// claim. An absent claim grants nothing. A claim of the wrong type makes the token invalid, and so
/// does an element that is no scope token (RFC 6749 section 3.3), such as a role with a space or an
/// umlaut in its name: nothing that the issuer granted is dropped in silence.
///
/// ```
/// use tower_bearer::claims::ScopeClaim;
///
/// let standard = ScopeClaim::scope();                              // "scope": "a b"
/// let okta = ScopeClaim::named("scp");                             // "scp": "a b" or ["a", "b"]
/// let roles = ScopeClaim::path(["realm_access", "roles"]).prefix("role:");
/// # let _ = (standard, okta, roles);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeClaim {
    path: Vec<String>,
    array: bool,
    prefix: String,
}

impl ScopeClaim {
    /// The `scope` claim: one string of scopes that are separated by spaces (RFC 8693 section 4.2).
    #[must_use]
    pub fn scope() -> Self {
        Self { path: vec!["scope".to_owned()], array: false, prefix: String::new() }
    }

    /// The claim of this name: a string as in `scope`, or an array of strings of one scope each.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { path: vec![name.into()], array: true, prefix: String::new() }
    }

    /// A claim inside other claims, by the names of the members on the way:
    /// `["realm_access", "roles"]`. Otherwise as [`named`](Self::named).
    #[must_use]
    pub fn path<S: Into<String>>(steps: impl IntoIterator<Item = S>) -> Self {
        let path = steps.into_iter().map(Into::into).collect();
        Self { path, array: true, prefix: String::new() }
    }

    /// Puts this text before every scope of the claim, to keep roles and scopes apart.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Whether every step of the path has a name, the first is no registered claim with a meaning
    /// of its own, and the prefix can start a scope.
    pub(crate) fn is_well_formed(&self) -> bool {
        let is_free =
            |name: &str| Claim::of(name).is_none() && !is_foreign(name) && !is_of_id_token(name);
        self.path.first().is_some_and(|first| is_free(first))
            && self.path.iter().all(|step| !step.is_empty())
            && (self.prefix.is_empty() || ScopeToken::new(&self.prefix).is_ok())
    }

    pub(super) fn starts_with(&self, name: &str) -> bool {
        self.path.first().is_some_and(|step| step == name)
    }
}

/// Collects the scopes of a token, wherever they stand.
pub(super) struct Collector<'a, 'p> {
    pub(super) pool: &'a mut Pool<'p>,
    pub(super) scopes: &'a mut Spans,
}

impl Collector<'_, '_> {
    /// Reads `value`, the top-level claim that `claim` starts with.
    #[inline]
    pub(super) fn read(&mut self, claim: &ScopeClaim, value: Value<'_>) -> Result<(), Unusable> {
        match value.plain {
            Plain::Text(text) if claim.path.len() == 1 => self.add_text(claim, text),
            _ => self.walk(claim, value.raw).map_err(|_| Unusable),
        }
    }

    fn walk(&mut self, claim: &ScopeClaim, value: &str) -> Result<(), serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(value);
        let steps = claim.path.get(1..).unwrap_or_default();
        let walk = Walk { steps, claim, collector: self };
        de::DeserializeSeed::deserialize(walk, &mut json)?;
        json.end()
    }

    /// Scopes that are separated by spaces.
    fn add_text(&mut self, claim: &ScopeClaim, text: &str) -> Result<(), Unusable> {
        match self.pool.locate(text) {
            // The usual case: all of them stand in the payload as they are.
            Some(place) if claim.prefix.is_empty() => {
                self.scopes.append(text, place.start()).map_err(|_| Unusable)
            }
            _ => {
                let mut parts = text.split(' ').filter(|part| !part.is_empty());
                parts.try_for_each(|part| self.add_one(claim, part))
            }
        }
    }

    /// One scope, in which a space must not make two of it.
    fn add_one(&mut self, claim: &ScopeClaim, scope: &str) -> Result<(), Unusable> {
        if !is_scope_token(scope.as_bytes()) {
            return Err(Unusable);
        }
        let place = match claim.prefix.as_str() {
            "" => self.pool.place(scope),
            prefix => self.pool.add(prefix, scope),
        };
        self.scopes.push(place);
        Ok(())
    }
}

/// A scope claim has the wrong type, or in it is something else than scopes.
#[derive(Debug)]
pub(super) struct Unusable;

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a scope")
    }
}

/// Goes down the path of a scope claim.
struct Walk<'w, 'a, 'p> {
    steps: &'w [String],
    claim: &'w ScopeClaim,
    collector: &'w mut Collector<'a, 'p>,
}

impl<'de> de::DeserializeSeed<'de> for Walk<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        match self.steps {
            [] => value.deserialize_any(self),
            [_, ..] => Unique::read_value(value, self).map(drop),
        }
    }
}

impl<'de> Members<'de> for Walk<'_, '_, '_> {
    fn member<A: de::MapAccess<'de>>(
        &mut self,
        name: &str,
        object: &mut A,
    ) -> Result<Taken, A::Error> {
        match self.steps {
            [step, rest @ ..] if step == name => {
                let collector = &mut *self.collector;
                object.next_value_seed(Walk { steps: rest, claim: self.claim, collector })?;
                Ok(Taken::Yes)
            }
            _ => Ok(Taken::No),
        }
    }
}

impl<'de> de::Visitor<'de> for Walk<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.claim.array { "a string or an array of strings" } else { "a string" })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.collector.add_text(self.claim, text).map_err(E::custom)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        if !self.claim.array {
            return Err(de::Error::invalid_type(de::Unexpected::Seq, &self));
        }
        while let Some(scope) = array.next_element_seed(StringSeed)? {
            self.collector.add_one(self.claim, &scope).map_err(de::Error::custom)?;
        }
        Ok(())
    }
}
