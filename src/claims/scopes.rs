use std::{fmt, sync::Arc};

use serde::de;

use super::{registered, text::Text};
use crate::{
    json::{Members, StringSeed, Taken, Unique},
    scope::{ScopeError, ScopeSet, ScopeToken, Spans},
};

/// Where a token says which scopes it grants.
///
/// Issuers differ: RFC 9068 has one `scope` string, others an array in `scp`, `roles` or a nested
/// claim. An absent claim grants nothing; a claim of the wrong type makes the token invalid.
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
        self.path.first().is_some_and(|first| registered::Claim::of(first).is_none())
            && self.path.iter().all(|step| !step.is_empty())
            && (self.prefix.is_empty() || ScopeToken::new(&self.prefix).is_ok())
    }

    pub(super) fn starts_with(&self, name: &str) -> bool {
        self.path.first().is_some_and(|step| step == name)
    }

    /// Whether the claim is no part of another one.
    pub(super) fn is_top_level(&self) -> bool {
        self.path.len() == 1
    }
}

/// The scopes found so far.
#[derive(Default)]
pub(super) enum Found {
    #[default]
    Nothing,
    /// All come from one string that stands in the payload as it is: nothing need be copied.
    InPayload(Spans),
    /// The general case: scopes separated by spaces.
    Joined(String),
}

impl Found {
    /// The scopes as a set that shares the payload where it can.
    pub(super) fn into_set(self, payload: &Arc<str>) -> Result<ScopeSet, ScopeError> {
        match self {
            Self::Nothing => Ok(ScopeSet::empty()),
            Self::InPayload(spans) => Ok(ScopeSet::from_parts(Arc::clone(payload), spans)),
            Self::Joined(text) => ScopeSet::parse(&text),
        }
    }

    /// Reads `value`, the top-level claim that `claim` starts with.
    pub(super) fn collect(
        &mut self,
        claim: &ScopeClaim,
        value: &str,
        payload: &str,
    ) -> Result<(), serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(value);
        let steps = claim.path.get(1..).unwrap_or_default();
        let walk = Walk { steps, claim, found: self, payload };
        de::DeserializeSeed::deserialize(walk, &mut json)?;
        json.end()
    }

    /// The usual case of a `scope` string.
    pub(super) fn collect_text(
        &mut self,
        claim: &ScopeClaim,
        text: &str,
        payload: &str,
    ) -> Result<(), ScopeError> {
        if let (Self::Nothing, "", Some(offset)) =
            (&*self, claim.prefix.as_str(), Text::locate(text, payload).offset())
        {
            *self = Self::InPayload(Spans::parse(text, offset, payload)?);
            return Ok(());
        }
        text.split(' ')
            .filter(|part| !part.is_empty())
            .try_for_each(|part| self.push(claim, part, payload))
    }

    fn push(&mut self, claim: &ScopeClaim, part: &str, payload: &str) -> Result<(), ScopeError> {
        // Every element is one scope, so a space in it must not make two of it.
        ScopeToken::new(part)?;
        let mut joined = match std::mem::take(self) {
            Self::Nothing => String::new(),
            Self::InPayload(spans) => ScopeSet::from_parts(payload.into(), spans).to_string(),
            Self::Joined(text) => text,
        };
        // Appended in place: copying what was found so far would make the work quadratic.
        joined.push(' ');
        joined.push_str(&claim.prefix);
        joined.push_str(part);
        *self = Self::Joined(joined);
        Ok(())
    }
}

/// Goes down the path of a scope claim and refuses repeated members on the way.
struct Walk<'a> {
    steps: &'a [String],
    claim: &'a ScopeClaim,
    found: &'a mut Found,
    payload: &'a str,
}

impl<'de> de::DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        match self.steps {
            [] => value.deserialize_any(self),
            [_, ..] => Unique::read_value(value, self).map(drop),
        }
    }
}

impl<'de> Members<'de> for Walk<'_> {
    fn member<A: de::MapAccess<'de>>(
        &mut self,
        name: &str,
        object: &mut A,
    ) -> Result<Taken, A::Error> {
        match self.steps {
            [step, rest @ ..] if step == name => {
                let (claim, payload) = (self.claim, self.payload);
                let found = &mut *self.found;
                object.next_value_seed(Walk { steps: rest, claim, found, payload })?;
                Ok(Taken::Yes)
            }
            _ => Ok(Taken::No),
        }
    }
}

impl<'de> de::Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.claim.array { "a string or an array of strings" } else { "a string" })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.found.collect_text(self.claim, text, self.payload).map_err(E::custom)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        if !self.claim.array {
            return Err(de::Error::invalid_type(de::Unexpected::Seq, &self));
        }
        while let Some(scope) = array.next_element_seed(StringSeed)? {
            self.found.push(self.claim, &scope, self.payload).map_err(de::Error::custom)?;
        }
        Ok(())
    }
}
