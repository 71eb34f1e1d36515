use tracing::{debug, error, info, warn};

use super::{AuthEvent, OnEvent};
use crate::{error::AuthErrorKind, verified::Grant};

/// Writes events to `tracing`, target `tower_bearer`.
///
/// | event | level |
/// |---|---|
/// | accepted, keys replaced | DEBUG, INFO |
/// | refused for what the client sent | INFO |
/// | the claims do not fit the application's type, a key is skipped | WARN |
/// | no keys, wired wrongly, a key set turned down, a private key in a key document | ERROR |
///
/// Fields: `code`, `issuer`, `subject`, `client_id`, `token_id`, `scope`, `claim`, `kid`. Texts
/// that come from tokens and key documents are recorded with escapes and cut after 128 characters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tracing;

impl OnEvent for Tracing {
    fn on_event(&self, event: &AuthEvent) {
        let code = event.code();
        match event {
            AuthEvent::Accepted { caller } => match caller.grant() {
                Some(grant) => {
                    let Caller { issuer, subject, client_id, token_id } = Caller::of(grant);
                    debug!(target: "tower_bearer", code, issuer, subject, client_id, token_id, "request accepted");
                }
                None => debug!(target: "tower_bearer", code, "anonymous request accepted"),
            },
            AuthEvent::Refused { error, caller } => {
                let Caller { issuer, subject, client_id, token_id } = caller
                    .as_ref()
                    .and_then(|caller| caller.grant())
                    .map_or(Caller::default(), Caller::of);
                let claim = error.claim().map(escaped);
                let scope = error.scope();
                macro_rules! refused {
                    ($level:ident) => {
                        $level!(target: "tower_bearer", code, issuer, subject, client_id, token_id, claim, scope, "request refused")
                    };
                }
                match error.kind() {
                    AuthErrorKind::KeysUnavailable
                    | AuthErrorKind::LayerMissing
                    | AuthErrorKind::ClaimsTypeMismatch => refused!(error),
                    AuthErrorKind::ClaimsMismatch => refused!(warn),
                    _ => refused!(info),
                }
            }
            AuthEvent::KeySkipped { issuer, key } => {
                let (issuer, kid) = (&**issuer, key.key_id().map(escaped));
                let reason = key.reason();
                if key.is_exposed() {
                    error!(target: "tower_bearer", code, issuer, kid, reason, "the issuer gives a private key away");
                } else {
                    warn!(target: "tower_bearer", code, issuer, kid, reason, "key skipped");
                }
            }
            AuthEvent::KeysReplaced { issuer, generation, keys } => {
                info!(target: "tower_bearer", code, issuer = &**issuer, generation, keys, "keys replaced");
            }
            AuthEvent::KeysRejected { issuer } => {
                error!(target: "tower_bearer", code, issuer = &**issuer, "none of the new keys can be used, the old ones stay");
            }
        }
    }
}

/// What is said about a caller.
#[derive(Default)]
struct Caller {
    issuer: Option<String>,
    subject: Option<String>,
    client_id: Option<String>,
    token_id: Option<String>,
}

impl Caller {
    fn of(grant: &Grant) -> Self {
        Self {
            issuer: Some(escaped(grant.issuer())),
            subject: grant.subject().map(escaped),
            client_id: grant.client_id().map(escaped),
            token_id: grant.token_id().map(escaped),
        }
    }
}

/// Control characters, quotes and the like as escapes, so that no text starts a new log line; at
/// most 128 characters.
fn escaped(text: &str) -> String {
    text.chars().take(128).flat_map(char::escape_debug).collect()
}
