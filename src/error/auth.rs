use std::{error::Error, fmt, sync::Arc};

use super::BoxError;

/// Why a request, or a token, is refused.
///
/// The value is cheap to clone. [`kind`](Self::kind) says what happened; the rest is detail for
/// operators. Nothing of the token is in it but the *name* of a claim.
#[derive(Clone)]
pub struct AuthError {
    kind: AuthErrorKind,
    /// Apart, as every step of a verification returns room for an error.
    detail: Option<Arc<Detail>>,
}

#[derive(Clone, Default)]
struct Detail {
    scope: Option<Arc<str>>,
    claim: Option<Arc<str>>,
    issuer: Option<(Arc<str>, Signed)>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// Whether the issuer's signature held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signed {
    Yes,
    No,
}

impl AuthError {
    /// An error of this kind, without detail.
    #[must_use]
    pub fn new(kind: AuthErrorKind) -> Self {
        Self { kind, detail: None }
    }

    /// The refusal of a token that lacks a scope; `scope` is all that the operation needs,
    /// separated by single spaces (RFC 6750 section 3.1).
    pub(crate) fn insufficient_scope(scope: Arc<str>) -> Self {
        Self::new(AuthErrorKind::InsufficientScope).with(|detail| detail.scope = Some(scope))
    }

    /// An error about one claim, by its name.
    pub(crate) fn of_claim(kind: AuthErrorKind, claim: &str) -> Self {
        Self::new(kind).with(|detail| detail.claim = Some(bounded(claim)))
    }

    /// Adds the issuer that decided about the token.
    pub(crate) fn of_issuer(self, issuer: &Arc<str>, signed: Signed) -> Self {
        self.with(|detail| detail.issuer = Some((Arc::clone(issuer), signed)))
    }

    /// The same detail for another kind.
    #[cfg(feature = "remote-keys")]
    pub(crate) fn but(self, kind: AuthErrorKind) -> Self {
        Self { kind, ..self }
    }

    /// Adds the error that led to this one.
    #[must_use]
    pub fn with_source(self, source: impl Into<BoxError>) -> Self {
        self.with(|detail| detail.source = Some(Arc::from(source.into())))
    }

    #[cold]
    fn with(mut self, add: impl FnOnce(&mut Detail)) -> Self {
        add(Arc::make_mut(self.detail.get_or_insert_default()));
        self
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> AuthErrorKind {
        self.kind
    }

    /// The scopes that the operation needs, if one is missing.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.detail.as_ref()?.scope.as_deref()
    }

    /// The name of the claim that is at fault, at most 64 characters of it.
    ///
    /// The name comes from the token, so escape it where it is shown; [`fmt::Display`] does.
    #[must_use]
    pub fn claim(&self) -> Option<&str> {
        self.detail.as_ref()?.claim.as_deref()
    }

    /// The issuer whose keys and rules decided, as it is configured, if the token got that far.
    ///
    /// Unless the token [is signed](Self::is_signed_by_issuer) by that issuer, anybody may have
    /// named it. Where only one is configured it decides about every token.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.detail.as_ref()?.issuer.as_ref().map(|(issuer, _)| &**issuer)
    }

    /// Whether the token is known to be signed by that issuer.
    #[must_use]
    pub fn is_signed_by_issuer(&self) -> bool {
        let issuer = self.detail.as_ref().and_then(|detail| detail.issuer.as_ref());
        issuer.is_some_and(|(_, signed)| *signed == Signed::Yes)
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
            .field("scope", &self.scope())
            .field("claim", &self.claim())
            .field("issuer", &self.issuer())
            .field("source", &self.source())
            .finish()
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.describe())?;
        match (self.claim(), self.scope()) {
            (Some(claim), _) => write!(f, ": {claim:?}"),
            (None, Some(scope)) => write!(f, ": {scope}"),
            (None, None) => Ok(()),
        }
    }
}

impl Error for AuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.detail.as_ref()?.source.as_deref()?;
        Some(source as &(dyn Error + 'static))
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
    /// The token has expired, and nothing else is wrong with it; whether it was revoked is not
    /// asked then.
    Expired = "expired", "the token has expired";
    /// The token was revoked, and nothing else is wrong with it.
    Revoked = "revoked", "the token was revoked";
    /// The claims do not fit the type that the application asks for.
    ClaimsMismatch = "claims_mismatch", "the claims do not fit the application's type";
    /// The token lacks a scope that the operation needs. [`Grant::require`](crate::Grant::require)
    /// makes the error with the scopes that the challenge then names; by hand it names none.
    InsufficientScope = "insufficient_scope", "the token lacks a scope";
    /// The token is fine, and the application's policy says no.
    PolicyDenied = "policy_denied", "the policy denies the request";
    /// No usable key set is at hand, so the token can be neither accepted nor refused.
    KeysUnavailable = "keys_unavailable", "no usable key set is at hand";
    /// What was revoked is not known well enough, so the token can be neither accepted nor refused.
    RevocationsUnavailable = "revocations_unavailable", "it is not known what was revoked";
    /// A guard or an extractor runs where no `AuthLayer` ran before it.
    LayerMissing = "layer_missing", "no AuthLayer ran before this guard or extractor";
    /// A handler asks for another claims type than the verifier produces.
    ClaimsTypeMismatch = "claims_type_mismatch", "the handler asks for another claims type than the verifier produces";
}

/// At most 64 characters: claim names come from tokens.
fn bounded(text: &str) -> Arc<str> {
    match text.char_indices().nth(64) {
        Some((end, _)) => text[..end].into(),
        None => text.into(),
    }
}
