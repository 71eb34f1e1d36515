//! Applications: who may ask for tokens, and for which.

use std::{fmt, time::Duration};

use super::applications::{AdminError, checks};
use crate::{scope::ScopeSet, time::UnixTime};

/// What a store keeps of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationRecord {
    /// The client id, and the subject of its tokens: `app_` and 22 letters or digits.
    pub id: String,
    /// The unique name, 1 to 128 bytes.
    pub name: String,
    /// Grows with each change, except the last use of a secret.
    pub version: u64,
    /// Whether it may authenticate.
    pub enabled: bool,
    /// The scopes that it may be granted.
    pub scopes: ScopeSet,
    /// The audiences that its tokens may have; the first one is the default.
    pub audiences: Vec<String>,
    /// How long its access tokens live, if not as long as others.
    pub access_lifetime: Option<Duration>,
    /// Whether the OAuth token endpoint gives it refresh tokens.
    pub oauth_refresh: bool,
    /// Whether it may ask about the tokens of others (RFC 7662), as a resource server.
    pub introspects: bool,
    /// When it was created.
    pub created_at: UnixTime,
    /// Its secrets, oldest first.
    pub secrets: Vec<SecretRecord>,
}

/// What a store keeps of a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretRecord {
    /// Names the secret among those of its application.
    pub id: String,
    /// What a presented secret is compared with, as text: an HMAC tag under a key that is not in
    /// the store, or an Argon2id hash.
    pub digest: String,
    /// A few words about where it is used.
    pub label: String,
    /// When it was created.
    pub created_at: UnixTime,
    /// From when on it is refused.
    pub expires_at: UnixTime,
    /// When it was last used, to the minute.
    pub last_used_at: Option<UnixTime>,
}

/// Leaves the digest out: a chosen secret could be guessed from it.
impl fmt::Debug for SecretRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretRecord")
            .field("id", &self.id)
            .field("label", &self.label)
            .field("created_at", &self.created_at)
            .field("expires_at", &self.expires_at)
            .field("last_used_at", &self.last_used_at)
            .finish_non_exhaustive()
    }
}

/// An application, as its administration shows it. No secret is in it.
#[derive(Clone, Debug)]
pub struct Application(ApplicationRecord);

impl Application {
    pub(super) fn new(record: ApplicationRecord) -> Self {
        Self(record)
    }

    /// The client id, and the subject of its tokens.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The unique name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether it may authenticate.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.0.enabled
    }

    /// The scopes that it may be granted.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.0.scopes
    }

    /// The audiences that its tokens may have; the first one is the default.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.0.audiences.iter().map(String::as_str)
    }

    /// How long its access tokens live, if not as long as others.
    #[must_use]
    pub fn access_lifetime(&self) -> Option<Duration> {
        self.0.access_lifetime
    }

    /// Whether the OAuth token endpoint gives it refresh tokens.
    #[must_use]
    pub fn has_oauth_refresh(&self) -> bool {
        self.0.oauth_refresh
    }

    /// Whether it may ask about the tokens of others, as a resource server.
    #[must_use]
    pub fn introspects(&self) -> bool {
        self.0.introspects
    }

    /// When it was created.
    #[must_use]
    pub fn created_at(&self) -> UnixTime {
        self.0.created_at
    }

    /// Its secrets, oldest first.
    pub fn secrets(&self) -> impl Iterator<Item = SecretInfo<'_>> {
        self.0.secrets.iter().map(SecretInfo)
    }
}

/// What is known of a secret, but the secret.
#[derive(Clone, Copy, Debug)]
pub struct SecretInfo<'a>(&'a SecretRecord);

impl<'a> SecretInfo<'a> {
    /// Names the secret among those of its application.
    #[must_use]
    pub fn id(&self) -> &'a str {
        &self.0.id
    }

    /// A few words about where it is used.
    #[must_use]
    pub fn label(&self) -> &'a str {
        &self.0.label
    }

    /// When it was created.
    #[must_use]
    pub fn created_at(&self) -> UnixTime {
        self.0.created_at
    }

    /// From when on it is refused.
    #[must_use]
    pub fn expires_at(&self) -> UnixTime {
        self.0.expires_at
    }

    /// When it was last used, to the minute.
    #[must_use]
    pub fn last_used_at(&self) -> Option<UnixTime> {
        self.0.last_used_at
    }
}

/// Describes an application to [create](super::Applications::create).
#[derive(Clone, Debug)]
#[must_use]
pub struct NewApplication {
    name: String,
    scopes: ScopeSet,
    audiences: Vec<String>,
    access_lifetime: Option<Duration>,
    oauth_refresh: bool,
    introspects: bool,
}

impl NewApplication {
    /// An application with this unique name: 1 to 128 bytes without control characters, compared
    /// byte for byte.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            scopes: ScopeSet::empty(),
            audiences: Vec::new(),
            access_lifetime: None,
            oauth_refresh: false,
            introspects: false,
        }
    }

    /// The scopes that it may be granted, and is if it asks for none.
    pub fn scopes(self, scopes: ScopeSet) -> Self {
        Self { scopes, ..self }
    }

    /// Adds an audience that its tokens may have; the first one is the default. There must be one
    /// (RFC 9068 section 3).
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// How long its access tokens live, in whole seconds, 30 s to one hour; as long as those of
    /// others unless said otherwise.
    pub fn access_lifetime(self, lifetime: Duration) -> Self {
        Self { access_lifetime: Some(lifetime), ..self }
    }

    /// Gets refresh tokens at the OAuth token endpoint, too. RFC 6749 section 4.4.3 says that it
    /// should not: it pays where the secret should be used rarely.
    pub fn oauth_refresh(self) -> Self {
        Self { oauth_refresh: true, ..self }
    }

    /// Is a resource server that may ask about the tokens that are for one of its audiences (RFC
    /// 7662).
    pub fn introspects(self) -> Self {
        Self { introspects: true, ..self }
    }

    pub(super) fn into_record(
        self,
        id: String,
        created_at: UnixTime,
    ) -> Result<ApplicationRecord, AdminError> {
        checks::label("name", &self.name)?;
        checks::audiences(&self.audiences)?;
        checks::lifetime(self.access_lifetime)?;
        Ok(ApplicationRecord {
            id,
            name: self.name,
            version: 0,
            enabled: true,
            scopes: self.scopes,
            audiences: self.audiences,
            access_lifetime: self.access_lifetime,
            oauth_refresh: self.oauth_refresh,
            introspects: self.introspects,
            created_at,
            secrets: Vec::new(),
        })
    }
}
