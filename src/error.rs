//! The two families of errors: what is wrong with a configuration, and why a request is refused.
//!
//! [`ConfigError`] is returned when something is built and names the value and the remedy.
//! [`AuthError`] belongs to one request: a [kind](AuthErrorKind) that never changes its
//! [code](AuthErrorKind::code), and a little detail for operators that never reaches the client.

use std::{error::Error, fmt, sync::Arc};

/// Any error that can be a source.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why a request, or a token, is refused.
///
/// The value is cheap to clone. [`kind`](Self::kind) says what happened; the rest is detail for
/// operators. Nothing of the token is in it but the *name* of a claim.
#[derive(Clone)]
pub struct AuthError {
    kind: AuthErrorKind,
    scope: Option<Arc<str>>,
    claim: Option<Arc<str>>,
    issuer: Option<Arc<str>>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl AuthError {
    /// An error of this kind, without detail.
    #[must_use]
    pub fn new(kind: AuthErrorKind) -> Self {
        Self { kind, scope: None, claim: None, issuer: None, source: None }
    }

    /// The refusal of a token that lacks a scope; `scope` is all that the operation needs,
    /// separated by single spaces (RFC 6750 section 3.1).
    pub(crate) fn insufficient_scope(scope: Arc<str>) -> Self {
        Self { scope: Some(scope), ..Self::new(AuthErrorKind::InsufficientScope) }
    }

    /// An error about one claim, by its name.
    pub(crate) fn of_claim(kind: AuthErrorKind, claim: &str) -> Self {
        Self { claim: Some(bounded(claim)), ..Self::new(kind) }
    }

    /// Adds the issuer that decided about the token.
    pub(crate) fn of_issuer(self, issuer: &Arc<str>) -> Self {
        Self { issuer: Some(Arc::clone(issuer)), ..self }
    }

    /// Adds the error that led to this one.
    #[must_use]
    pub fn with_source(self, source: impl Into<BoxError>) -> Self {
        Self { source: Some(Arc::from(source.into())), ..self }
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> AuthErrorKind {
        self.kind
    }

    /// The scopes that the operation needs, if one is missing.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// The name of the claim that is at fault, at most 64 characters of it.
    ///
    /// The name comes from the token, so escape it where it is shown; [`fmt::Display`] does.
    #[must_use]
    pub fn claim(&self) -> Option<&str> {
        self.claim.as_deref()
    }

    /// The issuer whose keys and rules decided, as it is configured, if the token got that far.
    ///
    /// If the signature was not checked or does not hold, anybody may have named that issuer. Where
    /// only one is configured it decides about every token.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }
}

impl From<AuthErrorKind> for AuthError {
    fn from(kind: AuthErrorKind) -> Self {
        Self::new(kind)
    }
}

impl fmt::Debug for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthError")
            .field("kind", &self.kind)
            .field("scope", &self.scope)
            .field("claim", &self.claim)
            .field("issuer", &self.issuer)
            .field("source", &self.source)
            .finish()
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.describe())?;
        match (&self.claim, &self.scope) {
            (Some(claim), _) => write!(f, ": {claim:?}"),
            (None, Some(scope)) => write!(f, ": {scope}"),
            (None, None) => Ok(()),
        }
    }
}

impl Error for AuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// The reason of a refusal, with a stable machine [code](Self::code).
        ///
        /// What a client is told about each kind is decided in one place, [`crate::challenge`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum AuthErrorKind {
            $($(#[$doc])* $name,)*
        }

        impl AuthErrorKind {
            /// Every kind, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code for logs, metrics and events: lower-case words joined by `_`, never
            /// changed once released, never sent to a client.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            const fn describe(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }

        /// One sentence for operators, without its full stop.
        impl fmt::Display for AuthErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.describe())
            }
        }
    };
}

kinds! {
    /// The request carries no credentials.
    NoCredentials = "no_credentials", "the request carries no credentials";
    /// The request uses an authentication scheme that is not offered.
    UnsupportedScheme = "unsupported_scheme", "the authentication scheme is not supported";
    /// The scheme is there, the token is not.
    TokenMissing = "token_missing", "the access token is missing";
    /// More than one credential, or one in more than one place.
    MultipleCredentials = "multiple_credentials", "the request carries more than one credential";
    /// The request did not come over TLS, which this service demands.
    InsecureTransport = "insecure_transport", "the request did not come over a secure transport";
    /// The token is longer than the accepted size.
    TokenTooLong = "token_too_long", "the token is longer than accepted";
    /// The token is not a JWS in compact serialization with strict encoding.
    Malformed = "malformed", "the token is not a well-formed compact JWS";
    /// The JOSE header uses an extension that is not understood (`crit`, `b64`, nested `cty`).
    UnsupportedHeader = "unsupported_header", "the token header uses an unsupported extension";
    /// The algorithm is not one of those that the issuer may use.
    AlgorithmNotAllowed = "algorithm_not_allowed", "the token algorithm is not allowed";
    /// The token is of another type than an access token.
    WrongTokenType = "wrong_token_type", "the token is not of the expected type";
    /// The issuer is not one of the configured ones.
    UnknownIssuer = "unknown_issuer", "the token issuer is not trusted";
    /// The issuer has no key that fits the token.
    UnknownKey = "unknown_key", "no key of the issuer fits the token";
    /// More than one key fits the token.
    AmbiguousKey = "ambiguous_key", "more than one key fits the token";
    /// The signature does not hold.
    BadSignature = "bad_signature", "the token signature does not verify";
    /// A claim that must be there is missing.
    MissingClaim = "missing_claim", "a required claim is missing";
    /// A claim has the wrong type or an impossible value.
    MalformedClaim = "malformed_claim", "a claim is malformed";
    /// The token is meant for another audience.
    WrongAudience = "wrong_audience", "the token is meant for another audience";
    /// The token is bound to a key or certificate, and no proof of it is checked here.
    UnsupportedConfirmation = "unsupported_confirmation", "the token is bound to a key that is not checked";
    /// The token lives longer than the issuer may let it.
    LifetimeTooLong = "lifetime_too_long", "the token lifetime is longer than accepted";
    /// The token is not valid yet.
    NotYetValid = "not_yet_valid", "the token is not valid yet";
    /// The token was issued in the future.
    IssuedInFuture = "issued_in_future", "the token was issued in the future";
    /// The token has expired, and nothing else is wrong with it.
    Expired = "expired", "the token has expired";
    /// The claims do not fit the type that the application asks for.
    ClaimsMismatch = "claims_mismatch", "the claims do not fit the application's type";
    /// The token lacks a scope that the operation needs.
    InsufficientScope = "insufficient_scope", "the token lacks a scope";
    /// The token is fine, and the application's policy says no.
    PolicyDenied = "policy_denied", "the policy denies the request";
    /// No usable key set is at hand, so the token can be neither accepted nor refused.
    KeysUnavailable = "keys_unavailable", "no usable key set is at hand";
    /// A guard or an extractor runs where no `AuthLayer` ran before it.
    LayerMissing = "layer_missing", "no AuthLayer ran before this guard or extractor";
    /// A handler asks for another claims type than the verifier produces.
    ClaimsTypeMismatch = "claims_type_mismatch", "the handler asks for another claims type than the verifier produces";
}

/// What is wrong with a configuration: the value and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No cryptographic backend was compiled in.
    #[error("no cryptographic backend: enable the feature `aws-lc-rs` or `rust-crypto`")]
    NoBackend,
    /// The chosen cryptographic backend was not compiled in.
    #[error("the backend {name} is not compiled in: enable the feature `{name}`")]
    BackendNotCompiled {
        /// Name of the backend, which is also the name of the feature.
        name: &'static str,
    },
    /// A verifier without issuers would refuse everything.
    #[error("no issuer: give the verifier at least one with `.issuer(Issuer::new(..))`")]
    NoIssuer,
    /// The issuer identifier is empty or holds control characters.
    #[error("issuer {issuer:?}: the identifier must be non-empty text without control characters")]
    InvalidIssuer {
        /// The identifier as given.
        issuer: String,
    },
    /// Two issuers have the same identifier.
    #[error(
        "issuer {issuer:?} is configured twice: merge the two, as keys and policy belong to one issuer"
    )]
    DuplicateIssuer {
        /// The identifier as given.
        issuer: String,
    },
    /// Keys were to be replaced for an issuer that the verifier does not trust.
    #[error("issuer {issuer:?} is not one of the verifier's: use its exact identifier")]
    UnknownIssuer {
        /// The identifier as given.
        issuer: String,
    },
    /// An issuer has no audience.
    #[error("issuer {issuer:?} has no audience: name this service with `.audience(..)`")]
    NoAudience {
        /// The issuer.
        issuer: String,
    },
    /// An audience is the empty string.
    #[error("issuer {issuer:?} has an empty audience: an audience is a non-empty identifier")]
    EmptyAudience {
        /// The issuer.
        issuer: String,
    },
    /// An issuer has audiences, and yet none is to be checked.
    #[error(
        "issuer {issuer:?} has audiences that `danger_no_audience` would leave unchecked: keep one of the two"
    )]
    AudienceNotChecked {
        /// The issuer.
        issuer: String,
    },
    /// An issuer has no algorithm.
    #[error("issuer {issuer:?} has no algorithm: list what it signs with in `.algorithms([..])`")]
    NoAlgorithm {
        /// The issuer.
        issuer: String,
    },
    /// An issuer mixes MAC and signature algorithms (RFC 8725 section 2.1).
    #[error(
        "issuer {issuer:?} mixes HMAC with public-key algorithms: an issuer uses one of the two"
    )]
    MixedAlgorithms {
        /// The issuer.
        issuer: String,
    },
    /// The backend cannot verify this algorithm.
    #[error(
        "issuer {issuer:?} allows {algorithm}, which the backend {backend} cannot verify: take another backend or leave the algorithm out"
    )]
    UnsupportedAlgorithm {
        /// The issuer.
        issuer: String,
        /// Name of the algorithm.
        algorithm: &'static str,
        /// Name of the backend.
        backend: &'static str,
    },
    /// An algorithm name that this library does not know.
    #[error(
        "unknown algorithm {name:?}: use a name of RFC 7518 or RFC 9864 such as ES256; `none` is never accepted"
    )]
    UnknownAlgorithm {
        /// The name as given.
        name: String,
    },
    /// A setting that is given as text has a value that does not exist.
    #[error("unknown {setting} {name:?}: use one of {known}")]
    UnknownName {
        /// What it is a name of.
        setting: &'static str,
        /// The name as given.
        name: String,
        /// The names that there are.
        known: &'static str,
    },
    /// An issuer has no keys.
    #[error("issuer {issuer:?} has no keys: give it some with `.keys(..)`, or say `.keys_later()`")]
    NoKeys {
        /// The issuer.
        issuer: String,
    },
    /// No key of an issuer can be used with one of its algorithms.
    #[error(
        "issuer {issuer:?}: no usable key: {reasons}; compare kty, crv, alg and use of the keys with `.algorithms([..])` and the backend"
    )]
    NoUsableKey {
        /// The issuer.
        issuer: String,
        /// What is wrong with the first few keys.
        reasons: String,
    },
    /// The leeway is out of range.
    #[error(
        "issuer {issuer:?}: a leeway of {seconds} s is more than the {max} s that clock differences can justify"
    )]
    LeewayTooLong {
        /// The issuer.
        issuer: String,
        /// Seconds as given.
        seconds: u64,
        /// The most that is accepted, in seconds.
        max: u64,
    },
    /// A limit is out of range.
    #[error("{name} must be between {min} and {max}, not {value}")]
    OutOfRange {
        /// Name of the setting.
        name: &'static str,
        /// The value as given.
        value: u64,
        /// The least that is accepted.
        min: u64,
        /// The most that is accepted.
        max: u64,
    },
    /// A scope claim has an impossible path or prefix.
    #[error(
        "issuer {issuer:?}: a scope claim needs a path without empty steps that starts at no registered claim, and a prefix of scope characters"
    )]
    InvalidScopeClaim {
        /// The issuer.
        issuer: String,
    },
    /// A text cannot stand in a challenge header.
    #[error("{name} {value:?}: {remedy}")]
    InvalidChallengeValue {
        /// Name of the setting.
        name: &'static str,
        /// The value as given.
        value: String,
        /// What it must look like.
        remedy: &'static str,
    },
    /// A cookie or header name is not usable.
    #[error("{name:?} cannot name the place of a token: {remedy}")]
    InvalidSourceName {
        /// The name as given.
        name: String,
        /// What it must look like.
        remedy: &'static str,
    },
}

/// At most 64 characters: claim names come from tokens.
fn bounded(text: &str) -> Arc<str> {
    match text.char_indices().nth(64) {
        Some((end, _)) => text[..end].into(),
        None => text.into(),
    }
}
