use std::{
    collections::BTreeSet,
    sync::{
        Arc, OnceLock,
        mpsc::{channel, sync_channel},
    },
};

use http::Request;
use tower::{Layer, service_fn};
use tower_bearer::{
    Algorithm, AuthContext, AuthErrorKind, AuthLayer, Backend, Grant, Issuer, RequireScope,
    Verifier,
    authenticate::{Attempt, Authenticate, Events},
    event::{AuthEvent, OnEvent, Queued},
    key::{KeySet, VerifyingKey},
    scope,
    test_util::{self, FrozenClock, TestIssuer},
    token::{PresentedToken, RequestHead},
};

use crate::support::{
    NOW, Protected, Recorded, at_once, issuer, issuer_with, send, traced, whoami,
};

/// An event for tests of sinks.
fn event() -> AuthEvent {
    AuthEvent::Refused { error: AuthErrorKind::Expired.into(), caller: None }
}

/// The subject that an event names.
fn subject(event: &AuthEvent) -> Option<&str> {
    match event {
        AuthEvent::Accepted { caller } => Some(caller),
        AuthEvent::Refused { caller, .. } => caller.as_ref(),
        _ => None,
    }
    .and_then(AuthContext::grant)
    .and_then(Grant::subject)
}

/// Every outcome of the layer is one event, with the caller if the token was verified.
#[tokio::test]
async fn every_outcome_is_one_event() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let good = issuer.token().subject("alice");
    let cases = [
        (good.sign(), "accepted", Some("alice")),
        (good.clone().expired().sign(), "expired", None),
        (good.clone().tampered().sign(), "bad_signature", None),
        (good.clone().unsigned().sign(), "algorithm_not_allowed", None),
        (good.clone().unknown_key().sign(), "unknown_key", None),
        (good.clone().wrong_audience().sign(), "wrong_audience", None),
        ("garbage".to_owned(), "malformed", None),
    ];
    for (at, (token, code, caller)) in cases.iter().enumerate() {
        protected.send_token(token).await;
        let all = protected.events.all();
        assert_eq!(all.len(), at + 1);
        assert_eq!((all[at].code(), subject(&all[at])), (*code, *caller));
    }
}

/// X-LOG-08: the outcomes are the reason codes, and five more.
#[test]
fn the_codes_of_events_are_stable() {
    let accepted = AuthEvent::Accepted { caller: AuthContext::anonymous() };
    assert_eq!(accepted.code(), "accepted");
    for reason in AuthErrorKind::ALL {
        let refused = AuthEvent::Refused { error: (*reason).into(), caller: None };
        assert_eq!(refused.code(), reason.code());
    }
    let codes: BTreeSet<_> = AuthErrorKind::ALL.iter().map(|kind| kind.code()).collect();
    assert_eq!(codes.len(), AuthErrorKind::ALL.len(), "two kinds share a code");
    for code in codes {
        assert!(code.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()), "{code}");
    }

    let (issuer, events) = (issuer(), Recorded::default());
    let exposed = r#"{"kty":"EC","kid":"e","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
    let document =
        |keys: &str| KeySet::from_jwks(&format!(r#"{{"keys":[{keys}]}}"#)).expect("a set");
    let verifier = Verifier::builder().issuer(issuer.trusted()).on_event(events.clone());
    let verifier = verifier.build().expect("a verifier");
    verifier.replace_keys(issuer.name(), document(exposed)).expect_err("no usable key");
    let mixed = document(r#"{"kty":"oct","kid":"o","k":"AAAA"},{"kty":"new"}"#);
    let mixed = mixed.with(issuer.key().clone());
    verifier.replace_keys(issuer.name(), mixed).expect("a usable key");
    assert_eq!(
        events.codes(),
        [
            "keys_replaced",
            "key_exposed",
            "keys_rejected",
            "key_exposed",
            "key_skipped",
            "keys_replaced"
        ]
    );
}

/// Sinks compose; what is not a sink of events is ignored.
#[test]
fn sinks_compose() {
    let (a, b, c, d) =
        (Recorded::default(), Recorded::default(), Recorded::default(), Recorded::default());
    let shared: Arc<dyn OnEvent> = Arc::new(b.clone());
    let closure = {
        let c = c.clone();
        move |event: &AuthEvent| c.on_event(event)
    };
    let sink = (a.clone(), (shared, ()), closure, (Some(d.clone()), None::<Recorded>));
    sink.on_event(&event());
    for recorded in [a, b, c, d] {
        assert_eq!(recorded.codes(), ["expired"]);
    }
}

/// A sink that fails.
fn panics(_: &AuthEvent) {
    panic!("of the sink")
}

/// X-BF-11
#[tokio::test]
async fn a_panicking_sink_harms_neither_the_request_nor_other_sinks() {
    let issuer = issuer();
    let (before, after) = (Recorded::default(), Recorded::default());
    let sink = (before.clone(), panics, (Arc::new(panics), panics, after.clone()));
    let layer = AuthLayer::builder(issuer.verifier()).on_event(sink).build().expect("a layer");
    let service = layer.layer(RequireScope::from(scope!("a")).layer(service_fn(whoami)));
    let with = |scope: &str| test_util::get("/", &issuer.token().scope(scope).sign());
    assert_eq!(send(service.clone(), with("a")).await.body(), "user-1");
    assert_eq!(send(service.clone(), with("b")).await.status(), 403);
    assert_eq!(send(service.clone(), Request::new(String::new())).await.status(), 401);
    for recorded in [before, after] {
        assert_eq!(
            recorded.codes(),
            ["accepted", "accepted", "insufficient_scope", "no_credentials"]
        );
    }

    let only = AuthLayer::builder(issuer.verifier()).on_event(panics).build().expect("a layer");
    assert_eq!(send(only.layer(service_fn(whoami)), with("a")).await.body(), "user-1");
}

/// X-BF-11
#[tokio::test]
async fn a_blocked_sink_drops_and_counts_while_requests_are_answered() {
    let issuer = issuer();
    let (entered, is_blocked) = channel();
    let (release, released) = sync_channel::<()>(0);
    let (done, seen) = channel();
    let (released, entered) = (std::sync::Mutex::new(released), std::sync::Mutex::new(entered));
    let done = std::sync::Mutex::new(done);
    let queued = Queued::new(2, move |event: &AuthEvent| {
        let _ = entered.lock().expect("not poisoned").send(());
        let _ = released.lock().expect("not poisoned").recv();
        let _ = done.lock().expect("not poisoned").send(event.code());
    });
    let layer = AuthLayer::builder(issuer.verifier()).on_event(queued.clone()).build();
    let service = layer.expect("a layer").layer(service_fn(whoami));

    // The first event blocks the thread, two wait in the queue, and the rest is dropped.
    let good = issuer.token().sign();
    assert_eq!(send(service.clone(), test_util::get("/", &good)).await.body(), "user-1");
    is_blocked.recv().expect("the sink was entered");
    for _ in 0..5 {
        assert_eq!(send(service.clone(), test_util::get("/", "bad")).await.status(), 401);
    }
    assert_eq!(queued.dropped(), 3);

    // Once it goes on, what was queued arrives in order.
    drop(release);
    let arrived: Vec<_> = (0..3).map(|_| seen.recv().expect("an event")).collect();
    assert_eq!(arrived, ["accepted", "malformed", "malformed"]);
    assert_eq!(queued.dropped(), 3);

    // The thread ends with the last clone.
    drop((service, queued));
    assert!(seen.recv().is_err());
}

/// X-BF-11: the thread survives a sink that panics.
#[test]
fn a_queued_sink_may_panic() {
    let (sender, seen) = channel();
    let sender = std::sync::Mutex::new(sender);
    let queued = Queued::new(
        8,
        (panics, move |event: &AuthEvent| {
            let _ = sender.lock().expect("not poisoned").send(event.code());
            panic!("of the sink")
        }),
    );
    for _ in 0..3 {
        queued.on_event(&event());
        assert_eq!(seen.recv(), Ok("expired"));
    }
    assert_eq!(queued.dropped(), 0);
}

/// A queue holds one event at least, and what a sink panics with may panic itself when it is
/// dropped.
#[test]
fn odd_sinks_do_no_harm() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("of the payload")
        }
    }
    let (sender, receiver) = channel();
    let throws = |_: &AuthEvent| std::panic::panic_any(Bomb);
    let sends = move |event: &AuthEvent| sender.send(event.code()).expect("a receiver");
    let queued = Queued::new(0, (throws, sends));
    queued.on_event(&event());
    assert_eq!(receiver.recv(), Ok("expired"));
    assert_eq!(queued.dropped(), 0);
}

/// Whoever wraps a verifier hands its sink on.
#[tokio::test]
async fn an_authenticate_of_ones_own_can_keep_the_sink_of_its_verifier() {
    #[derive(Clone)]
    struct Wraps(Verifier);
    impl Authenticate for Wraps {
        fn authenticate(&self, token: PresentedToken<'_>, head: &RequestHead<'_>) -> Attempt {
            self.0.authenticate(token, head)
        }

        fn events(&self) -> Events {
            self.0.events()
        }
    }
    let (issuer, recorded) = (issuer(), Recorded::default());
    let verifier = Verifier::builder().issuer(issuer.trusted()).on_event(recorded.clone()).build();
    let layer = AuthLayer::new(Wraps(verifier.expect("a verifier")));
    send(layer.layer(service_fn(whoami)), test_util::get("/", "bad")).await;
    assert_eq!(recorded.codes(), ["keys_replaced", "malformed"]);
}

/// The events of a layer go to the verifier's sink, unless the layer has its own.
#[tokio::test]
async fn a_layer_uses_the_sink_of_its_verifier() {
    let issuer = issuer();
    let (of_verifier, of_layer) = (Recorded::default(), Recorded::default());
    let verifier = Verifier::builder()
        .issuer(issuer.trusted())
        .clock(FrozenClock::at(NOW))
        .on_event(of_verifier.clone())
        .build()
        .expect("a verifier");
    let inherits = AuthLayer::new(verifier.clone()).layer(service_fn(whoami));
    let own = AuthLayer::builder(verifier).on_event(of_layer.clone()).build().expect("a layer");
    send(inherits, test_util::get("/", &issuer.token().sign())).await;
    send(own.layer(service_fn(whoami)), test_util::get("/", "bad")).await;
    assert_eq!(of_verifier.codes(), ["keys_replaced", "accepted"]);
    assert_eq!(of_layer.codes(), ["malformed"]);
}

/// A sink is called outside every lock, so it may use the verifier.
#[test]
fn a_sink_may_replace_keys() {
    let issuer = issuer();
    let shared: Arc<OnceLock<Verifier>> = Arc::default();
    let (replaces, keys) = (Arc::clone(&shared), issuer.key().clone());
    let name = issuer.name().to_owned();
    let sink = move |event: &AuthEvent| {
        if let (AuthEvent::KeysReplaced { generation: 2, .. }, Some(verifier)) =
            (event, replaces.get())
        {
            verifier.replace_keys(&name, keys.clone()).expect("a usable key");
        }
    };
    let verifier = Verifier::builder().issuer(issuer.trusted()).on_event(sink).build();
    let verifier = verifier.expect("a verifier");
    shared.set(verifier.clone()).expect("the first one");
    assert_eq!(verifier.replace_keys(issuer.name(), issuer.key().clone()), Ok(2));
    assert_eq!(verifier.replace_keys(issuer.name(), issuer.key().clone()), Ok(4));
}

/// X-LOG-10: whatever strangers send, the labels are those of a fixed list.
#[tokio::test]
async fn the_labels_of_events_are_bounded() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let known: BTreeSet<_> =
        AuthErrorKind::ALL.iter().map(|kind| kind.code()).chain(["accepted"]).collect();
    for number in 0..300 {
        let token = issuer.token().header("kid", format!("kid-{number}")).sign();
        protected.send_token(&token).await;
        protected.send_token(&format!("{number}.{number}.{number}")).await;
        let request = Request::get(format!("/{number}")).body(String::new()).unwrap();
        protected.send(request).await;
    }
    let seen: BTreeSet<_> = protected.events.codes().into_iter().collect();
    assert_eq!(seen, BTreeSet::from(["malformed", "no_credentials", "unknown_key"]));
    assert!(seen.is_subset(&known));
}

/// X-LOG-01: `Debug` of whatever a user can hold shows no token and no secret.
#[test]
fn debug_of_public_types_shows_no_token_and_no_secret() {
    let secret = b"s3cr3t-of-at-least-thirty-two-bytes!".repeat(2);
    let key = VerifyingKey::hmac(Algorithm::Hs256, &secret).expect("a key");
    let trusted = Issuer::new("https://issuer.test")
        .audience("https://api.test")
        .algorithms([Algorithm::Hs256])
        .keys(key.clone());
    let builder = Verifier::builder().issuer(trusted.clone());
    let builder_shown = format!("{builder:?}");
    let verifier = builder.build().expect("a verifier");
    let hmac = issuer_with(Algorithm::Hs256);
    let issuer = issuer();
    let token = issuer.token().claim("email", "private@claims.test").sign();
    let verified = issuer.verifier().verify_now(&token).expect("a good token");
    let context = AuthContext::from(verified.clone());
    let error = issuer.verifier().verify_now(&issuer.token().tampered().sign()).unwrap_err();
    let layer = AuthLayer::builder(verifier.clone());
    let layer_shown = format!("{layer:?}");
    let layer = layer.build().expect("a layer");
    let service = layer.layer(());
    let shown = [
        builder_shown,
        layer_shown,
        format!("{trusted:?}"),
        format!("{verifier:?}"),
        format!("{layer:?}"),
        format!("{service:?}"),
        format!("{key:?}"),
        format!("{:?}", KeySet::from(key)),
        format!("{hmac:?} {:?} {:?}", hmac.key(), hmac.token()),
        format!("{verified:?}"),
        format!("{:?}", verified.grant()),
        format!("{context:?}"),
        format!("{error:?} {error}"),
        format!("{:?}", AuthEvent::Accepted { caller: context }),
        format!("{:?}", Queued::new(1, ())),
    ];
    let encoded = ["s3cr3t", "eyJ", "private@claims", &token, "115, 51, 99"];
    for shown in shown {
        for hidden in encoded {
            assert!(!shown.contains(hidden), "{shown}");
        }
        assert!(!shown.contains(&format!("{secret:?}")), "{shown}");
    }
}

/// Nothing about a backend is secret, and nothing depends on it here.
#[test]
fn the_backend_can_be_shown() {
    let backend = Backend::compiled().expect("a backend");
    assert!(format!("{:?}", TestIssuer::new().verifier()).contains(&format!("{backend:?}")));
}

/// What `tracing` gets: levels, fields and values.
mod tracing_sink {
    use std::{collections::BTreeMap, fmt, sync::Mutex};

    use tower_bearer::{AuthError, Authenticated, Require, event::Tracing, scope::Requirement};
    use tracing::{Level, field::Field, field::Visit};
    use tracing_subscriber::{Registry, layer::SubscriberExt};

    use super::*;

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
        crate::support::watch_traces();
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

    /// X-LOG-06: what is wrong with the service stands out from what clients send.
    #[test]
    fn levels_tell_faults_of_the_service_from_those_of_tokens() {
        let level = |event: &AuthEvent| line(event).level;
        for reason in AuthErrorKind::ALL {
            let wanted = match reason {
                AuthErrorKind::KeysUnavailable
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

        let issuer = issuer();
        let token = issuer.token().without_claim("jti").sign();
        let error = issuer.verifier().verify_now(&token).unwrap_err();
        let refused = line(&AuthEvent::Refused { error, caller: None });
        assert_eq!(
            fields(&refused),
            [
                ("claim", "jti"),
                ("code", "missing_claim"),
                ("message", "request refused"),
                ("unverified_issuer", "https://issuer.test"),
            ]
        );

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
        let document =
            serde_json::json!({"keys": [{"kty": "oct", "kid": "k\n\u{1b}", "k": "AAAA"}]});
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
            assert_eq!(extracted.unwrap_err().kind(), AuthErrorKind::LayerMissing);
        });
        let [line] = &*lines else { panic!("{lines:?}") };
        assert_eq!((line.level, line.code()), (Level::ERROR, "layer_missing"));
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
        let name = "events::tracing_sink::the_guard_over_all_traces_ends_the_process";
        let child = std::process::Command::new(std::env::current_exe().expect("a path"))
            .args([name, "--exact", "--nocapture"])
            .env(CHILD, "1")
            .output()
            .expect("the test runs itself");
        assert!(!child.status.success());
        let said = String::from_utf8_lossy(&child.stderr);
        assert!(said.contains("a token or a secret was traced"), "{said}");
    }
}
