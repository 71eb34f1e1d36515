use std::error::Error;

use tracing::{debug, error, info, warn};

use super::{AuthEvent, IssuingEvent, OnEvent, Severity};
use crate::{
    error::{AuthError, AuthErrorKind},
    verified::{AuthContext, Grant},
};

/// Writes events to `tracing`, target `tower_bearer`.
///
/// | event | level |
/// |---|---|
/// | accepted, a key for another use is skipped | DEBUG |
/// | keys replaced, revocations known again | INFO |
/// | refused for what the client sent | INFO |
/// | the claims do not fit the application's type, a key is skipped | WARN |
/// | keys could not be fetched: the old ones serve, or there are none | WARN, ERROR |
/// | at the issuing side, by the [severity](super::IssuingAction::severity) | DEBUG, INFO, WARN, ERROR |
/// | no keys, revocations not known for too long, wired wrongly, a key set turned down, a private key in a key document | ERROR |
///
/// Fields of the issuing side: `code`, `reason`, `application`, `unverified_application`, `family`,
/// `token_id`, `secret` (its id), `kid`, `address`, `source`.
///
/// Fields of all others: `code`, `issuer`, `subject`, `client_id`, `token_id`, `scope`, `claim`,
/// `kid`, `reason`; `unverified_issuer`, the configured issuer that did not sign a refused token;
/// `source`, the error that led to a refusal. Texts that come from tokens, key documents and
/// sources are recorded with escapes and cut after 128 characters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tracing;

impl OnEvent for Tracing {
    fn on_event(&self, event: &AuthEvent) {
        let code = event.code();
        match event {
            AuthEvent::Accepted { caller } => accepted(caller),
            AuthEvent::Refused { error, caller } => {
                refused(code, error, caller.as_ref().and_then(AuthContext::grant));
            }
            AuthEvent::KeySkipped { issuer, key } => {
                let (issuer, kid, reason) = (&**issuer, key.key_id().map(escaped), key.reason());
                if key.is_for_another_use() {
                    debug!(target: TARGET, code, issuer, kid, reason, "key skipped");
                } else if key.is_exposed() {
                    error!(target: TARGET, code, issuer, kid, reason, "the key document gives a private or secret key away");
                } else {
                    warn!(target: TARGET, code, issuer, kid, reason, "key skipped");
                }
            }
            AuthEvent::KeysReplaced { issuer, generation, keys } => {
                info!(target: TARGET, code, issuer = &**issuer, generation, keys, "keys replaced");
            }
            AuthEvent::KeyRefreshFailed { issuer, error, usable_until } => {
                let (issuer, source) = (&**issuer, whole(&**error));
                match usable_until {
                    Some(until) => {
                        let usable_until = until.as_secs();
                        warn!(target: TARGET, code, issuer, source, usable_until, "keys could not be fetched; the old ones serve");
                    }
                    None => {
                        error!(target: TARGET, code, issuer, source, "keys could not be fetched, and none are at hand");
                    }
                }
            }
            AuthEvent::KeysRejected { issuer } => {
                error!(target: TARGET, code, issuer = &**issuer, "none of the keys can be used, so none was replaced");
            }
            AuthEvent::RevocationsStale { refuses, error, .. } => {
                let source = whole(&**error);
                if *refuses {
                    error!(target: TARGET, code, source, "it is not known what was revoked; tokens are refused");
                } else {
                    error!(target: TARGET, code, source, "it is not known what was revoked; tokens are accepted all the same");
                }
            }
            AuthEvent::RevocationsCurrent { .. } => {
                info!(target: TARGET, code, "it is known again what was revoked");
            }
            AuthEvent::Issuing(event) => issuing(code, event),
        }
    }
}

const TARGET: &str = "tower_bearer";

/// Writes an event about a request: who the caller is, then what else is said. The fields are only
/// made if somebody listens.
macro_rules! about_request {
    ($level:ident, $code:ident, $issuer:expr, $grant:ident, $($name:ident = $value:expr,)* $message:literal) => {
        $level!(
            target: TARGET,
            code = $code,
            issuer = $issuer.or($grant.map(Grant::issuer)).map(escaped),
            subject = $grant.and_then(Grant::subject).map(escaped),
            client_id = $grant.and_then(Grant::client_id).map(escaped),
            token_id = $grant.and_then(Grant::token_id).map(escaped),
            $($name = $value,)*
            $message
        )
    };
}

#[inline]
pub(super) fn accepted(caller: &AuthContext) {
    let (code, grant) = (super::ACCEPTED, caller.grant());
    about_request!(debug, code, None, grant, "request accepted");
}

fn refused(code: &'static str, error: &AuthError, grant: Option<&Grant>) {
    macro_rules! refused {
        ($level:ident) => {
            about_request!(
                $level,
                code,
                error.issuer().filter(|_| error.is_signed_by_issuer()),
                grant,
                unverified_issuer = error.issuer().filter(|_| !error.is_signed_by_issuer()),
                claim = error.claim().map(escaped),
                scope = error.scope(),
                source = error.source().map(whole),
                "request refused"
            )
        };
    }
    match error.kind() {
        AuthErrorKind::KeysUnavailable
        | AuthErrorKind::RevocationsUnavailable
        | AuthErrorKind::LayerMissing
        | AuthErrorKind::ClaimsTypeMismatch => refused!(error),
        AuthErrorKind::ClaimsMismatch => refused!(warn),
        _ => refused!(info),
    }
}

fn issuing(code: &'static str, event: &IssuingEvent) {
    macro_rules! issuing {
        ($level:ident) => {
            $level!(
                target: TARGET,
                code,
                reason = event.reason,
                application = event.application.as_deref().map(escaped),
                unverified_application = event.unverified_application.as_deref().map(escaped),
                family = event.family.as_deref(),
                token_id = event.token_id.as_deref(),
                secret = event.secret.as_deref().map(escaped),
                kid = event.key.as_deref().map(escaped),
                address = event.source.map(tracing::field::display),
                source = event.error.as_deref().map(|error| whole(error)),
                "issuing"
            )
        };
    }
    match event.action.severity() {
        Severity::Routine => issuing!(debug),
        Severity::Notice => issuing!(info),
        Severity::Warning => issuing!(warn),
        Severity::Critical => issuing!(error),
    }
}

/// An error with those that led to it, of which the last one often is the reason.
fn whole(error: &(dyn Error + 'static)) -> String {
    const MOST: usize = 8;
    let mut text = error.to_string();
    let mut source = error.source();
    for _ in 0..MOST {
        let Some(error) = source else {
            break;
        };
        let part = error.to_string();
        // Some errors end with the text of their source.
        if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        source = error.source();
    }
    escaped(&text)
}

/// Control characters, quotes and the like as escapes, so that no text starts a new log line; at
/// most 128 characters.
fn escaped(text: &str) -> String {
    text.chars().take(128).flat_map(char::escape_debug).collect()
}
