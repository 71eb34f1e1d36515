use std::{fmt, sync::Arc, time::Duration};

use super::source::KeySource;
#[cfg(feature = "remote-keys")]
use crate::remote_keys::{Plan, RemoteKeys};
use crate::{
    claims::ScopeClaim,
    crypto::{Algorithm, AlgorithmSet, Backend},
    error::ConfigError,
    key::{KeySet, LiveKeys},
    policy::{Audiences, Policy, Tenants, TokenType},
    revocation::Revocations,
    scope::{ImpliedScopes, ScopeToken},
};

/// The most that clocks may differ, in seconds (RFC 7519 section 4.1.4: "a few minutes").
const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// One trusted issuer: who it is, what this service is called there, what it signs with, and where
/// its tokens say what they grant.
///
/// A plain value; mistakes are reported when the verifier is built. Each issuer has its own keys,
/// and a token is only ever checked with the keys of the issuer that it names (RFC 8725 section
/// 3.8).
///
/// ```
/// use tower_bearer::{Algorithm, Issuer, key::{KeySet, VerifyingKey}};
///
/// // For example from the environment.
/// let algorithms = "HS256".split(',').map(str::parse).collect::<Result<Vec<Algorithm>, _>>()?;
/// let issuer = Issuer::new("https://id.example.com")
///     .audience("https://api.example.com")
///     .algorithms(algorithms)
///     .keys(VerifyingKey::hmac(Algorithm::Hs256, &[7; 32])?);
///
/// assert!("none".parse::<Algorithm>().is_err());
/// # let _ = issuer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Issuer {
    issuer: String,
    tenants: Option<AreOurs>,
    audiences: Vec<String>,
    clients: Vec<String>,
    pub(super) any_audience: bool,
    pub(super) id_tokens: bool,
    algorithms: Vec<Algorithm>,
    keys: Option<KeySet>,
    live: Vec<LiveKeys>,
    #[cfg(feature = "remote-keys")]
    remote: Vec<RemoteKeys>,
    keys_later: bool,
    token_type: TokenType,
    leeway: Duration,
    max_lifetime: Option<Duration>,
    scope_claims: Vec<ScopeClaim>,
    implied: Vec<(ScopeToken, Vec<ScopeToken>)>,
    revocations: Option<Revocations>,
}

/// Which tenants an issuer is trusted for.
#[derive(Clone)]
struct AreOurs(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl fmt::Debug for AreOurs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AreOurs")
    }
}

/// The source of an issuer's keys, checked.
pub(crate) enum Source {
    Fixed(KeySet),
    Live(LiveKeys),
    Later,
    #[cfg(feature = "remote-keys")]
    Remote(Box<Plan>),
}

impl Issuer {
    /// The issuer with this identifier: the exact `iss` of its tokens.
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            tenants: None,
            audiences: Vec::new(),
            clients: Vec::new(),
            any_audience: false,
            id_tokens: false,
            algorithms: Vec::new(),
            keys: None,
            live: Vec::new(),
            #[cfg(feature = "remote-keys")]
            remote: Vec::new(),
            keys_later: false,
            token_type: TokenType::default(),
            leeway: Duration::from_secs(60),
            max_lifetime: None,
            scope_claims: Vec::new(),
            implied: Vec::new(),
            revocations: None,
        }
    }

    /// All issuers of one provider whose identifiers follow a template with `{tenantid}` in it, as
    /// those of Microsoft Entra do, and whose tenant is one of ours. They share their keys, which
    /// are configured. A key of a JWKS document with a member `issuer` only signs for exactly that
    /// one, or for all if it is the template.
    ///
    /// [`Grant::issuer`](crate::Grant::issuer) is that of the tenant.
    pub fn of_tenants(
        template: impl Into<String>,
        are_ours: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { tenants: Some(AreOurs(Arc::new(are_ours))), ..Self::new(template) }
    }

    /// For an issuer whose access tokens name no audience but only their client, as those of Amazon
    /// Cognito do: `client_id` must be one of these, and `token_use` must be `access`.
    pub fn audience_from_client_id<T: Into<String>>(
        mut self,
        clients: impl IntoIterator<Item = T>,
    ) -> Self {
        self.clients.extend(clients.into_iter().map(Into::into));
        self
    }

    /// Adds a name of this service: tokens must carry one of them in `aud`, byte for byte.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Adds algorithms that the issuer signs with. There is no default: RFC 8725 section 3.1 wants
    /// them listed. HMAC and public-key algorithms exclude each other.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms.extend(algorithms);
        self
    }

    /// Adds keys: a [`VerifyingKey`](crate::key::VerifyingKey), several, or a [`KeySet`]; or says
    /// where they are fetched from, with `RemoteKeys` of the feature `remote-keys`.
    pub fn keys(mut self, keys: impl Into<KeySource>) -> Self {
        match keys.into() {
            KeySource::Fixed(keys) => self.keys.get_or_insert_default().extend(keys),
            KeySource::Live(keys) => self.live.push(keys),
            #[cfg(feature = "remote-keys")]
            KeySource::Remote(keys) => self.remote.push(keys),
        }
        self
    }

    /// The issuer at this URL, whose metadata names its keys (RFC 8414, OpenID Connect Discovery
    /// 1.0): the same as [`new`](Self::new) with [`RemoteKeys::discovered`].
    #[cfg(feature = "remote-keys")]
    pub fn discover(issuer: impl Into<String>) -> Self {
        Self::new(issuer).keys(RemoteKeys::discovered())
    }

    /// Starts without keys, which come later through
    /// [`Verifier::replace_keys`](crate::Verifier::replace_keys). Until then tokens of this issuer
    /// can be neither accepted nor refused: 503.
    pub fn keys_later(self) -> Self {
        Self { keys_later: true, ..self }
    }

    /// The type of token; [`TokenType::AtJwt`] unless said otherwise.
    pub fn token_type(self, token_type: TokenType) -> Self {
        Self { token_type, ..self }
    }

    /// How much the issuer's clock may differ, in whole seconds: 60 s unless said otherwise, at
    /// most 300 s.
    pub fn leeway(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }

    /// Refuses tokens that live longer, counted from `iat` to `exp` in whole seconds; such tokens
    /// must carry `iat`. Unlimited unless said otherwise.
    pub fn max_lifetime(self, max: Duration) -> Self {
        Self { max_lifetime: Some(max), ..self }
    }

    /// Adds a place where tokens say what they grant; the first call replaces the default
    /// [`ScopeClaim::scope`]. All places together make the granted scopes.
    pub fn scope_claim(mut self, claim: ScopeClaim) -> Self {
        self.scope_claims.push(claim);
        self
    }

    /// Says that whoever is granted `scope` is granted `implied` too, and what those imply.
    ///
    /// Applied once when a token is verified: guards see the implied scopes,
    /// [`Grant::scopes`](crate::Grant::scopes) shows what the token itself grants.
    pub fn implies(
        mut self,
        scope: ScopeToken,
        implied: impl IntoIterator<Item = ScopeToken>,
    ) -> Self {
        self.implied.push((scope, implied.into_iter().collect()));
        self
    }

    /// Refuses the tokens that this list says are [revoked](crate::revocation). Each issuer needs its
    /// own, as two may use the same id; the tenants of one have it in common.
    ///
    /// A claim `sid` must then be a string; without a list it may be anything.
    pub fn revocations(self, revocations: Revocations) -> Self {
        Self { revocations: Some(revocations), ..self }
    }

    /// What is revoked, if anybody asks.
    pub(crate) fn attached_revocations(&self) -> Option<Revocations> {
        self.revocations.clone()
    }

    /// The sound policy and the source of the keys.
    pub(crate) fn into_policy(self, backend: Backend) -> Result<(Policy, Source), ConfigError> {
        let issuer = self.issuer.clone();
        if issuer.is_empty() || issuer.chars().any(char::is_control) {
            return Err(ConfigError::InvalidIssuer { issuer });
        }
        let tenants = self.checked_tenants()?;
        self.check_audiences()?;
        self.check_algorithms(backend)?;
        let seconds = ConfigError::whole_seconds("leeway", self.leeway)?;
        let max = MAX_LEEWAY.as_secs();
        if seconds > max {
            return Err(ConfigError::LeewayTooLong { issuer, seconds, max });
        }
        if let Some(max) = self.max_lifetime {
            ConfigError::whole_seconds("max_lifetime", max)?;
        }
        if !self.scope_claims.iter().all(ScopeClaim::is_well_formed) {
            return Err(ConfigError::InvalidScopeClaim { issuer });
        }
        let source = self.source()?;
        let scope_claims = match self.scope_claims.is_empty() {
            true => vec![ScopeClaim::scope()],
            false => self.scope_claims,
        };
        let policy = Policy {
            issuer: issuer.into(),
            tenants,
            audiences: if self.any_audience {
                Audiences::Any
            } else if self.clients.is_empty() {
                Audiences::Named(self.audiences.into_iter().map(Into::into).collect())
            } else {
                Audiences::Clients(self.clients.into_iter().map(Into::into).collect())
            },
            algorithms: self.algorithms.into_iter().collect::<AlgorithmSet>(),
            token_type: self.token_type,
            id_tokens: self.id_tokens,
            leeway: self.leeway,
            max_lifetime: self.max_lifetime,
            scope_claims: scope_claims.into(),
            implied: ImpliedScopes::new(&self.implied),
            revocable: self.revocations.is_some(),
        };
        Ok((policy, source))
    }

    /// The only source of keys.
    fn source(&self) -> Result<Source, ConfigError> {
        let issuer = || self.issuer.clone();
        #[cfg(feature = "remote-keys")]
        if let Some(remote) = self.remote.first() {
            if self.remote.len() > 1
                || self.keys.is_some()
                || self.keys_later
                || !self.live.is_empty()
            {
                return Err(ConfigError::SeveralKeySources { issuer: issuer() });
            }
            // Whoever serves the document could choose the secret.
            if self.algorithms.iter().any(|algorithm| algorithm.is_hmac()) {
                return Err(ConfigError::RemoteSecret { issuer: issuer() });
            }
            return Ok(Source::Remote(Box::new(remote.clone().plan(&self.issuer)?)));
        }
        if let Some(live) = self.live.first() {
            if self.live.len() > 1 || self.keys.is_some() || self.keys_later {
                return Err(ConfigError::SeveralKeySources { issuer: issuer() });
            }
            return Ok(Source::Live(live.clone()));
        }
        match &self.keys {
            Some(keys) => Ok(Source::Fixed(keys.clone())),
            None if self.keys_later => Ok(Source::Later),
            None => Err(ConfigError::NoKeys { issuer: issuer() }),
        }
    }

    fn checked_tenants(&self) -> Result<Option<Tenants>, ConfigError> {
        let template = || self.issuer.clone();
        match &self.tenants {
            None if self.issuer.contains(Tenants::PLACEHOLDER) => {
                Err(ConfigError::IssuerTemplate { issuer: template() })
            }
            None => Ok(None),
            Some(AreOurs(are_ours)) => match Tenants::new(&self.issuer, Arc::clone(are_ours)) {
                Some(tenants) => Ok(Some(tenants)),
                None => Err(ConfigError::IssuerTemplate { issuer: template() }),
            },
        }
    }

    fn check_audiences(&self) -> Result<(), ConfigError> {
        let issuer = || self.issuer.clone();
        if self.audiences.iter().chain(&self.clients).any(String::is_empty) {
            return Err(ConfigError::EmptyAudience { issuer: issuer() });
        }
        if !self.audiences.is_empty() && !self.clients.is_empty() {
            return Err(ConfigError::AudienceTwice { issuer: issuer() });
        }
        let is_unnamed = self.audiences.is_empty() && self.clients.is_empty();
        match (is_unnamed, self.any_audience) {
            (true, false) => Err(ConfigError::NoAudience { issuer: issuer() }),
            (false, true) => Err(ConfigError::AudienceNotChecked { issuer: issuer() }),
            _ => Ok(()),
        }
    }

    fn check_algorithms(&self, backend: Backend) -> Result<(), ConfigError> {
        let issuer = || self.issuer.clone();
        let Some(first) = self.algorithms.first() else {
            return Err(ConfigError::NoAlgorithm { issuer: issuer() });
        };
        if self.algorithms.iter().any(|algorithm| algorithm.is_hmac() != first.is_hmac()) {
            return Err(ConfigError::MixedAlgorithms { issuer: issuer() });
        }
        match self.algorithms.iter().find(|algorithm| !backend.supports(**algorithm)) {
            Some(algorithm) => Err(ConfigError::UnsupportedAlgorithm {
                issuer: issuer(),
                algorithm: algorithm.name(),
                backend: backend.name(),
            }),
            None => Ok(()),
        }
    }
}
