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

use crate::support::{NOW, Protected, Recorded, issuer, issuer_with, send, whoami};

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
