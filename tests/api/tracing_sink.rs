//! What `tracing` gets: levels, fields and values.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt,
    sync::{Arc, Mutex},
};

use http::{Request, Response};
use tower::{Layer, ServiceBuilder, service_fn};
use tower_bearer::{
    AuthContext, AuthError, AuthErrorKind, AuthLayer, Authenticated, Grant, Require, RequireScope,
    Verifier,
    event::{AuthEvent, OnEvent, Tracing},
    key::KeySet,
    scope,
    scope::Requirement,
    test_util,
};
use tracing::{
    Level,
    field::{Field, Visit},
};
use tracing_subscriber::{Registry, layer::SubscriberExt};

use crate::support::{C3, assert_refused, at_once, issuer, send, traced, watch_traces, whoami};

#[derive(Clone, Debug, PartialEq)]
struct Line {
    level: Level,
    target: String,
    fields: BTreeMap<&'static str, String>,
}

impl Line {
    fn code(&self) -> &str {
        &self.fields["code"]
    }
}

/// Keeps what is traced, as it is handed over: no formatter escapes anything.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Line>>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Kept {
    fn on_event(
        &self,
        event: &tracing::Event<'_>,
        _context: tracing_subscriber::layer::Context<'_, S>,
    ) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        let line = Line { level, target: target.to_owned(), fields: fields.0 };
        self.0.lock().expect("not poisoned").push(line);
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

/// What is traced while this runs.
fn lines(run: impl FnOnce()) -> Vec<Line> {
    watch_traces();
    let kept = Kept::default();
    tracing::subscriber::with_default(Registry::default().with(kept.clone()), run);
    let lines = kept.0.lock().expect("not poisoned").clone();
    assert!(lines.iter().all(|line| line.target == "tower_bearer"), "{lines:?}");
    lines
}

/// The one line for this event.
fn line(event: &AuthEvent) -> Line {
    let mut lines = lines(|| Tracing.on_event(event));
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

fn fields(line: &Line) -> Vec<(&'static str, &str)> {
    line.fields.iter().map(|(name, value)| (*name, &**value)).collect()
}

/// The grant of a token with this subject.
fn caller(subject: &str) -> AuthContext {
    let issuer = issuer();
    let token = issuer.token().subject(subject).sign();
    issuer.verifier().verify_now(&token).expect("a good token").into()
}

/// X-LOG-06, R-JWT-26: what is wrong with the service stands out from what clients send.
#[test]
fn levels_tell_faults_of_the_service_from_those_of_tokens() {
    let level = |event: &AuthEvent| line(event).level;
    for reason in AuthErrorKind::ALL {
        let wanted = match reason {
            AuthErrorKind::KeysUnavailable
            | AuthErrorKind::RevocationsUnavailable
            | AuthErrorKind::LayerMissing
            | AuthErrorKind::ClaimsTypeMismatch => Level::ERROR,
            AuthErrorKind::ClaimsMismatch => Level::WARN,
            _ => Level::INFO,
        };
        let refused = AuthEvent::Refused { error: (*reason).into(), caller: None };
        assert_eq!(level(&refused), wanted, "{reason:?}");
        assert_eq!(line(&refused).code(), reason.code());
    }
    let anonymous = AuthContext::anonymous();
    assert_eq!(level(&AuthEvent::Accepted { caller: anonymous }), Level::DEBUG);
    assert_eq!(level(&AuthEvent::Accepted { caller: caller("alice") }), Level::DEBUG);
    let issuer: Arc<str> = "https://issuer.test".into();
    assert_eq!(level(&AuthEvent::KeysRejected { issuer: Arc::clone(&issuer) }), Level::ERROR);
    let replaced = AuthEvent::KeysReplaced { issuer, generation: 2, keys: 3 };
    assert_eq!(level(&replaced), Level::INFO);
    assert_eq!(
        fields(&line(&replaced)),
        [
            ("code", "keys_replaced"),
            ("generation", "2"),
            ("issuer", "https://issuer.test"),
            ("keys", "3"),
            ("message", "keys replaced"),
        ]
    );
}

/// R-JWT-26: the application's own type is at odds with the issuer, so it is a warning.
#[test]
fn a_claim_that_does_not_fit_is_a_warning_with_its_name_and_not_its_value() {
    #[derive(Debug, serde::Deserialize)]
    struct Tenant {
        #[serde(rename = "tenant")]
        _tenant: u64,
    }
    let issuer = issuer();
    let token = issuer.token().claim("tenant", "of-this-name").sign();
    let traced = lines(|| {
        let layer = AuthLayer::new(issuer.verifier_with::<Tenant>());
        let response = at_once(send(layer.layer(service_fn(whoami)), test_util::get("/", &token)));
        assert_refused(&response, 401, Some(C3));
    });
    let refused = traced.last().expect("a line");
    assert_eq!((refused.level, refused.code()), (Level::WARN, "claims_mismatch"));
    assert_eq!(refused.fields["claim"], "tenant");
    assert!(!format!("{traced:?}").contains("of-this-name"), "{traced:?}");
}

/// X-LOG-06: an outage of an issuer is no fault of a token, and says why with all that led to it.
#[test]
fn an_outage_of_an_issuer_is_told_with_its_cause() {
    #[derive(Debug)]
    struct Outer(std::io::Error);

    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("no answer\nfrom the issuer")
        }
    }

    let failed = |until: Option<u64>| {
        let refused = std::io::Error::other("connection refused");
        line(&AuthEvent::KeyRefreshFailed {
            issuer: "https://issuer.test".into(),
            error: Arc::new(Outer(refused)),
            usable_until: until.map(tower_bearer::time::UnixTime::from_secs),
        })
    };
    let (serving, out) = (failed(Some(7)), failed(None));
    assert_eq!((serving.level, out.level), (Level::WARN, Level::ERROR));
    assert_eq!(
        fields(&serving),
        [
            ("code", "key_refresh_failed"),
            ("issuer", "https://issuer.test"),
            ("message", "keys could not be fetched; the old ones serve"),
            ("source", r"no answer\nfrom the issuer: connection refused"),
            ("usable_until", "7"),
        ]
    );
    assert_eq!(out.fields["message"], "keys could not be fetched, and none are at hand");
}

/// X-LOG-02: no more fields than these, and only of a verified token.
#[test]
fn fields_are_those_of_the_list() {
    let accepted = line(&AuthEvent::Accepted { caller: caller("alice") });
    let who = [
        ("client_id", "client-1"),
        ("code", "accepted"),
        ("issuer", "https://issuer.test"),
        ("message", "request accepted"),
        ("subject", "alice"),
        ("token_id", "token-1"),
    ];
    assert_eq!(fields(&accepted), who);

    let Err(error) = caller("alice")
        .grant()
        .expect("a grant")
        .require(&Requirement::all([scope!("a"), scope!("b")]))
    else {
        panic!("a refusal was due")
    };
    let refused = line(&AuthEvent::Refused { error, caller: Some(caller("alice")) });
    assert_eq!(
        fields(&refused),
        [
            ("client_id", "client-1"),
            ("code", "insufficient_scope"),
            ("issuer", "https://issuer.test"),
            ("message", "request refused"),
            ("scope", "a b"),
            ("subject", "alice"),
            ("token_id", "token-1"),
        ]
    );

    // Whoever made the token chose the issuer, until its signature held.
    let issuer = issuer();
    for (token, wanted) in [
        (
            issuer.token().without_claim("jti").sign(),
            &[
                ("claim", "jti"),
                ("code", "missing_claim"),
                ("issuer", "https://issuer.test"),
                ("message", "request refused"),
            ][..],
        ),
        (
            issuer.token().without_claim("jti").tampered().sign(),
            &[
                ("code", "bad_signature"),
                ("message", "request refused"),
                ("unverified_issuer", "https://issuer.test"),
            ],
        ),
    ] {
        let error = issuer.verifier().verify_now(&token).unwrap_err();
        let refused = line(&AuthEvent::Refused { error, caller: None });
        assert_eq!(fields(&refused), wanted);
    }

    let error = AuthError::new(AuthErrorKind::PolicyDenied).with_source("client\nblocked");
    let refused = line(&AuthEvent::Refused { error, caller: Some(caller("alice")) });
    assert_eq!(refused.fields["source"], r"client\nblocked");
}

/// X-LOG-03
#[test]
fn control_characters_do_not_reach_the_log() {
    let odd = "a\r\nb\u{1b}[31m\0\t\u{7f}\u{85}\u{202e}\u{2028}c\"\\";
    let line = line(&AuthEvent::Accepted { caller: caller(odd) });
    let subject = &line.fields["subject"];
    assert_eq!(subject, r#"a\r\nb\u{1b}[31m\0\t\u{7f}\u{85}\u{202e}\u{2028}c\"\\"#);
}

/// X-LOG-02, X-LOG-03: names of claims and keys come from outside too.
#[test]
fn names_of_claims_and_keys_are_escaped_and_bounded() {
    let document = serde_json::json!({"keys": [{"kty": "oct", "kid": "k\n\u{1b}", "k": "AAAA"}]});
    let keys = KeySet::from_jwks(&document.to_string()).expect("a set");
    let key = keys.skipped()[0].clone();
    let skipped = line(&AuthEvent::KeySkipped { issuer: "i".into(), key });
    assert_eq!(skipped.fields["kid"], r"k\n\u{1b}");
    assert_eq!(skipped.level, Level::ERROR);

    let long = "k".repeat(300);
    let document = serde_json::json!({"keys": [{"kty": "oct", "kid": long, "k": "AAAA"}]});
    let keys = KeySet::from_jwks(&document.to_string()).expect("a set");
    let key = keys.skipped()[0].clone();
    let skipped = line(&AuthEvent::KeySkipped { issuer: "i".into(), key });
    assert_eq!(skipped.fields.get("kid").map_or(0, String::len), 128);

    let accepted = line(&AuthEvent::Accepted { caller: caller(&"s".repeat(1000)) });
    assert_eq!(accepted.fields["subject"].len(), 128);

    #[derive(Debug, serde::Deserialize)]
    struct Strict {
        #[serde(rename = "odd\nname")]
        _odd: u8,
    }
    let issuer = issuer();
    let token = issuer.token().claim("odd\nname", "text").sign();
    let error = issuer.verifier_with::<Strict>().verify_now(&token).unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::ClaimsMismatch);
    assert!(!error.to_string().contains('\n'), "{error}");
    let refused = line(&AuthEvent::Refused { error, caller: None });
    assert!(!refused.fields.values().any(|value| value.contains('\n')), "{refused:?}");
    assert_eq!(refused.level, Level::WARN);
}

/// The sink is there without a word in the configuration.
#[test]
fn events_are_traced_unless_another_sink_is_chosen() {
    let issuer = issuer();
    let traced = lines(|| {
        let service = AuthLayer::new(issuer.verifier()).layer(service_fn(whoami));
        at_once(send(service, test_util::get("/", &issuer.token().sign())));
    });
    let codes: Vec<_> = traced.iter().map(Line::code).collect();
    assert_eq!(codes, ["keys_replaced", "accepted"]);
    let silent = lines(|| {
        let verifier = Verifier::builder().issuer(issuer.trusted()).on_event(());
        let service = AuthLayer::new(verifier.build().expect("a verifier"));
        at_once(send(service.layer(service_fn(whoami)), test_util::get("/", "bad")));
    });
    assert_eq!(silent, []);
}

/// R-TRANS-23: a mistake in the wiring is loud, once for each request.
#[test]
fn a_missing_layer_is_an_error_event() {
    let guard = RequireScope::from(scope!("a")).layer(service_fn(whoami));
    let policy = Require::that(|_, _| true).layer(service_fn(whoami));
    let request = || test_util::get("/", "any");
    let from_guard = lines(|| drop(at_once(send(guard, request()))));
    let from_policy = lines(|| drop(at_once(send(policy, request()))));
    for lines in [from_guard, from_policy] {
        let [line] = &*lines else { panic!("{lines:?}") };
        assert_eq!((line.level, line.code()), (Level::ERROR, "layer_missing"));
    }
}

/// R-TRANS-23 for extractors
#[test]
fn an_extractor_without_a_layer_is_an_error_event() {
    use axum::extract::FromRequestParts as _;
    let (mut parts, ()) = Request::new(()).into_parts();
    let lines = lines(|| {
        let extracted: Result<Authenticated, AuthError> =
            at_once(Authenticated::from_request_parts(&mut parts, &()));
        let response: Response<()> = extracted.unwrap_err().to_response();
        assert_eq!(response.status(), 500);
    });
    let [line] = &*lines else { panic!("{lines:?}") };
    assert_eq!((line.level, line.code()), (Level::ERROR, "layer_missing"));
}

/// R-TRANS-23 for handlers; and where a layer listens it tells, once.
#[test]
fn a_handler_without_a_layer_is_an_error_event() {
    let handler = service_fn(async |request: Request<String>| {
        let response = match Grant::of(request.extensions()) {
            Ok(_) => Response::new("in".to_owned()),
            Err(error) => error.to_response(),
        };
        Ok::<_, Infallible>(response)
    });
    let issuer = issuer();
    let request = || test_util::get("/", &issuer.token().sign());
    let forgetful = ServiceBuilder::new()
        .layer(AuthLayer::new(issuer.verifier()))
        .map_request(|mut request: Request<String>| {
            request.extensions_mut().clear();
            request
        })
        .service(handler);
    let alone = lines(|| assert_eq!(at_once(send(handler, request())).status(), 500));
    let lost = lines(|| assert_eq!(at_once(send(forgetful, request())).status(), 500));
    for lines in [alone, lost] {
        let errors: Vec<_> = lines.iter().filter(|line| line.level == Level::ERROR).collect();
        let [line] = &*errors else { panic!("{errors:?}") };
        assert_eq!(line.code(), "layer_missing");
    }
}

/// X-LOG-01: what is traced in this process passes a guard that ends it if a token or a secret
/// is in it. This shows that the guard sees the traces at all.
#[test]
fn the_guard_over_all_traces_is_at_work() {
    let issuer = issuer();
    assert!(!traced("seen-by-the-guard"));
    let service = AuthLayer::new(issuer.verifier()).layer(service_fn(whoami));
    let token = issuer.token().subject("seen-by-the-guard").sign();
    at_once(send(service, test_util::get("/", &token)));
    assert!(traced("seen-by-the-guard"));
    // At the lowest level too.
    tracing::trace!("the guard sees TRACE");
    assert!(traced("the guard sees TRACE"));
}

/// X-LOG-01: and that it ends the process. The test runs itself for that, in a process of its
/// own.
#[test]
fn the_guard_over_all_traces_ends_the_process() {
    const CHILD: &str = "TOWER_BEARER_TRACE_A_TOKEN";
    if std::env::var_os(CHILD).is_some() {
        let token = issuer().token().sign();
        tracing::trace!(%token, "as a careless library would");
        return;
    }
    let name = "tracing_sink::the_guard_over_all_traces_ends_the_process";
    let child = std::process::Command::new(std::env::current_exe().expect("a path"))
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("the test runs itself");
    assert!(!child.status.success());
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(said.contains("a token or a secret was traced"), "{said}");
}
