use std::{error::Error, net::IpAddr, sync::Arc};

/// Something that happened at the issuing side. What is not known, or not concerned, is `None`.
///
/// | action | code | name in the OWASP logging vocabulary |
/// |---|---|---|
/// | [`Authenticated`](IssuingAction::Authenticated) | `application_authenticated` | `authn_login_success` |
/// | [`AuthenticationFailed`](IssuingAction::AuthenticationFailed) | `application_authentication_failed` | `authn_login_fail` |
/// | [`Throttled`](IssuingAction::Throttled) | `throttled` | `excess_rate_limit_exceeded` |
/// | [`TokenIssued`](IssuingAction::TokenIssued) | `token_issued` | `authn_token_created` |
/// | [`Refreshed`](IssuingAction::Refreshed) | `token_refreshed` | `authn_token_created` |
/// | [`GraceUsed`](IssuingAction::GraceUsed) | `refresh_grace_used` | `authn_token_reuse` |
/// | [`RefreshReused`](IssuingAction::RefreshReused) | `refresh_reused` | `authn_token_reuse` |
/// | [`RefreshRefused`](IssuingAction::RefreshRefused) | `refresh_refused` | `authn_login_fail` |
/// | [`RequestRefused`](IssuingAction::RequestRefused) | `issuing_refused` | `authz_fail` |
/// | [`TokenRevoked`](IssuingAction::TokenRevoked) | `token_revoked` | `authn_token_revoked` |
/// | [`FamilyRevoked`](IssuingAction::FamilyRevoked) | `family_revoked` | `authn_token_revoked` |
/// | [`ApplicationRevoked`](IssuingAction::ApplicationRevoked) | `application_revoked` | `authn_token_revoked` |
/// | [`EverythingRevoked`](IssuingAction::EverythingRevoked) | `everything_revoked` | `authn_token_revoked` |
/// | [`Introspected`](IssuingAction::Introspected) | `token_introspected` | - |
/// | [`ApplicationCreated`](IssuingAction::ApplicationCreated) | `application_created` | `user_created` |
/// | [`ApplicationChanged`](IssuingAction::ApplicationChanged) | `application_changed` | `privilege_permissions_changed` |
/// | [`ApplicationDisabled`](IssuingAction::ApplicationDisabled) | `application_disabled` | `user_updated` |
/// | [`ApplicationEnabled`](IssuingAction::ApplicationEnabled) | `application_enabled` | `user_updated` |
/// | [`ApplicationDeleted`](IssuingAction::ApplicationDeleted) | `application_deleted` | `user_archived` |
/// | [`SecretAdded`](IssuingAction::SecretAdded) | `secret_added` | `authn_password_change` |
/// | [`SecretRevoked`](IssuingAction::SecretRevoked) | `secret_revoked` | `authn_password_change` |
/// | [`SecretRehashed`](IssuingAction::SecretRehashed) | `secret_rehashed` | - |
/// | [`KeyAdded`](IssuingAction::KeyAdded) | `signing_key_added` | `sensitive_create` |
/// | [`KeyRetired`](IssuingAction::KeyRetired) | `signing_key_retired` | `sensitive_update` |
/// | [`KeyRemoved`](IssuingAction::KeyRemoved) | `signing_key_removed` | `sensitive_delete` |
/// | [`KeyResealed`](IssuingAction::KeyResealed) | `signing_key_resealed` | `sensitive_update` |
/// | [`ServerKeysReplaced`](IssuingAction::ServerKeysReplaced) | `server_keys_replaced` | `sensitive_update` |
/// | [`StoreFailed`](IssuingAction::StoreFailed) | `store_failed` | `sys_crash` |
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IssuingEvent {
    /// What happened.
    pub action: IssuingAction,
    /// A stable code that says more about it, such as `wrong_secret`.
    pub reason: Option<&'static str>,
    /// The client id of the application, once it is known to exist.
    pub application: Option<Arc<str>>,
    /// The name or client id that somebody presented, at most 128 characters of it. Nobody vouches
    /// for it.
    pub unverified_application: Option<Arc<str>>,
    /// The refresh family (`sid`).
    pub family: Option<Arc<str>>,
    /// The access token (`jti`).
    pub token_id: Option<Arc<str>>,
    /// The secret among those of the application.
    pub secret: Option<Arc<str>>,
    /// The signing key (`kid`).
    pub key: Option<Arc<str>>,
    /// The address that the request came from.
    pub source: Option<IpAddr>,
    /// The error that led to it.
    pub error: Option<Arc<dyn Error + Send + Sync>>,
}

impl IssuingEvent {
    #[cfg(feature = "issue")]
    pub(crate) fn new(action: IssuingAction) -> Self {
        Self {
            action,
            reason: None,
            application: None,
            unverified_application: None,
            family: None,
            token_id: None,
            secret: None,
            key: None,
            source: None,
            error: None,
        }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $severity:ident;)*) => {
        /// What happened at the issuing side, with a stable machine [code](Self::code).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum IssuingAction {
            $($(#[$doc])* $name,)*
        }

        impl IssuingAction {
            /// Every action, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code for logs, metrics and events: lower-case words joined by `_`, never
            /// changed once released.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How much it matters.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }
        }
    };
}

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// It happens all the time.
    Routine,
    /// It is worth a line.
    Notice,
    /// Somebody should look at it when it happens often.
    Warning,
    /// Somebody should look at it now.
    Critical,
}

actions! {
    /// An application proved who it is.
    Authenticated = "application_authenticated", Routine;
    /// An application did not: the name, the secret or the status.
    AuthenticationFailed = "application_authentication_failed", Notice;
    /// A request was not looked at, as there were too many failures before it.
    Throttled = "throttled", Warning;
    /// An access token was issued to an application that authenticated, with a refresh family if
    /// one is named.
    TokenIssued = "token_issued", Routine;
    /// A refresh token was exchanged for the next one.
    Refreshed = "token_refreshed", Routine;
    /// The refresh token before the current one was presented, shortly after; the current one was
    /// given again.
    GraceUsed = "refresh_grace_used", Notice;
    /// A refresh token was presented that had been used, so that two hold tokens of the family. It
    /// was ended.
    RefreshReused = "refresh_reused", Critical;
    /// A refresh token is unknown, forged, expired, revoked or another's.
    RefreshRefused = "refresh_refused", Notice;
    /// A request was malformed, or asked for what is not granted.
    RequestRefused = "issuing_refused", Notice;
    /// An access token was revoked.
    TokenRevoked = "token_revoked", Notice;
    /// A refresh family and its access tokens were revoked.
    FamilyRevoked = "family_revoked", Notice;
    /// All families and access tokens of an application were revoked.
    ApplicationRevoked = "application_revoked", Warning;
    /// All access tokens of the server were revoked.
    EverythingRevoked = "everything_revoked", Critical;
    /// Somebody asked about a token.
    Introspected = "token_introspected", Routine;
    /// An application was created.
    ApplicationCreated = "application_created", Notice;
    /// What an application may do was changed.
    ApplicationChanged = "application_changed", Notice;
    /// An application was disabled, and all its tokens with it.
    ApplicationDisabled = "application_disabled", Notice;
    /// An application was enabled.
    ApplicationEnabled = "application_enabled", Notice;
    /// An application was deleted, and all its tokens with it.
    ApplicationDeleted = "application_deleted", Notice;
    /// An application got a secret.
    SecretAdded = "secret_added", Notice;
    /// A secret was revoked.
    SecretRevoked = "secret_revoked", Notice;
    /// The digest of a secret was made anew, with the current pepper or cost.
    SecretRehashed = "secret_rehashed", Routine;
    /// A signing key was made.
    KeyAdded = "signing_key_added", Notice;
    /// A signing key signs no more, and its private part was destroyed.
    KeyRetired = "signing_key_retired", Notice;
    /// A signing key is not published any more.
    KeyRemoved = "signing_key_removed", Notice;
    /// A signing key was sealed anew, with the current key.
    KeyResealed = "signing_key_resealed", Notice;
    /// The server was given other keys of its own.
    ServerKeysReplaced = "server_keys_replaced", Notice;
    /// The store failed; the request was answered with 503.
    StoreFailed = "store_failed", Critical;
}
