//! Tokens that are refused before they expire.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use proptest::prelude::*;
use tower_bearer::{
    Algorithm, AuthErrorKind, Grant, Issuer, Verifier,
    policy::TokenType,
    revocation::{Revocation, RevocationKind, Revocations},
    test_util::{FrozenClock, TestIssuer, TokenBuilder},
    time::UnixTime,
};

use crate::support::{NOW, Protected, encode, issuer, issuer_with, refusal, watch_traces};

/// What need not be remembered any more for a token of a test: its `exp`, and the largest leeway.
const UNTIL: UnixTime = UnixTime::from_secs(NOW + 600 + 300);

fn verifier(trusted: Issuer) -> Verifier {
    Verifier::builder().issuer(trusted).clock(FrozenClock::at(NOW)).build().unwrap()
}

/// An issuer, the list of what is revoked of it, and who looks at it.
fn revocable() -> (TestIssuer, Revocations, Verifier) {
    let (issuer, revocations) = (issuer_with(Algorithm::Hs256), Revocations::new());
    let verifier = verifier(issuer.trusted().revocations(revocations.clone()));
    (issuer, revocations, verifier)
}

/// A token of this family.
fn of_family(issuer: &TestIssuer, family: &str) -> TokenBuilder {
    issuer.token().claim("sid", family)
}

#[track_caller]
fn is_accepted(verifier: &Verifier, token: &TokenBuilder) -> bool {
    match verifier.verify_now(&token.sign()) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), AuthErrorKind::Revoked);
            false
        }
    }
}

/// 128 bits as an issuer writes them.
fn packed(number: u128) -> String {
    encode(number.to_be_bytes())
}

/// R-REV-01: whatever is revoked, the next request is refused as any invalid token is, and others are
/// not.
#[tokio::test]
async fn a_revoked_token_is_refused_at_the_next_request() {
    let time = UnixTime::from_secs;
    let cases = [
        Revocation::token("revoked", UNTIL),
        Revocation::family("revoked", UNTIL),
        Revocation::client("revoked", time(NOW), UNTIL),
        Revocation::issuer(time(NOW - 5), UNTIL),
    ];
    for revocation in cases {
        let case = revocation.kind().name();
        let (issuer, revocations, verifier) = revocable();
        let protected = Protected::by(verifier);
        let others = issuer.token().claim("sid", "other").sign();
        let token = match revocation.kind() {
            RevocationKind::Token => issuer.token().claim("jti", "revoked"),
            RevocationKind::Family => of_family(&issuer, "revoked"),
            RevocationKind::Client => issuer.token().claim("client_id", "revoked"),
            _ => issuer.token().claim("iat", NOW - 10),
        };
        let token = token.sign();

        protected.accepts(&token, case).await;
        revocations.revoke(&revocation);
        protected.refuses(&token, AuthErrorKind::Revoked, case).await;
        protected.refuses(&token, AuthErrorKind::Revoked, case).await;
        protected.accepts(&others, case).await;
        assert_eq!(protected.events.codes(), ["accepted", "revoked", "revoked", "accepted"]);
        assert_eq!((revocations.len(), revocations.is_empty()), (1, false), "{case}");
    }
}

/// R-REV-01: the error says whose token it was, as its signature held.
#[test]
fn the_error_of_a_revoked_token_names_its_issuer() {
    let (issuer, revocations, verifier) = revocable();
    revocations.revoke(&Revocation::token("token-1", UNTIL));
    let error = verifier.verify_now(&issuer.token().sign()).unwrap_err();
    assert_eq!((error.issuer(), error.is_signed_by_issuer()), (Some(issuer.name()), true));
    assert_eq!(error.to_string(), "the token was revoked");
}

/// R-REV-01: the cut-off itself is revoked, the second after it is not.
#[test]
fn a_cut_off_ends_with_its_second() {
    for revocation in [
        Revocation::client("client-1", UnixTime::from_secs(NOW - 100), UNTIL),
        Revocation::issuer(UnixTime::from_secs(NOW - 100), UNTIL),
    ] {
        let (issuer, revocations, verifier) = revocable();
        revocations.revoke(&revocation);
        let issued = |at: u64| issuer.token().claim("iat", at);
        assert!(!is_accepted(&verifier, &issued(NOW - 101)));
        assert!(!is_accepted(&verifier, &issued(NOW - 100)));
        assert!(is_accepted(&verifier, &issued(NOW - 99)));
        // A fraction of a second after it is after it.
        assert!(is_accepted(&verifier, &issuer.token().claim("iat", NOW as f64 - 99.5)));
    }
}

/// R-REV-01: of several cut-offs the later one counts, in whatever order they come.
#[test]
fn of_several_cut_offs_the_later_one_counts() {
    let time = UnixTime::from_secs;
    let revocations = Revocations::new();
    assert_eq!(revocations.cut_off_of("a"), None);
    revocations.revoke(&Revocation::client("a", time(200), UNTIL));
    revocations.revoke(&Revocation::client("a", time(100), UNTIL));
    assert_eq!((revocations.cut_off_of("a"), revocations.cut_off_of("b")), (Some(time(200)), None));
    revocations.revoke(&Revocation::issuer(time(150), UNTIL));
    assert_eq!(revocations.cut_off_of("a"), Some(time(200)));
    assert_eq!(revocations.cut_off_of("b"), Some(time(150)));
    revocations
        .extend([Revocation::issuer(time(300), UNTIL), Revocation::issuer(time(250), UNTIL)]);
    assert_eq!(revocations.cut_off_of("a"), Some(time(300)));
    assert_eq!(revocations.len(), 2);
}

/// R-REV-01: a token that does not say when it was issued may be from before the cut-off.
#[test]
fn a_token_without_a_date_is_revoked_by_any_cut_off() {
    let issuer = issuer_with(Algorithm::Hs256);
    let revocations = Revocations::new();
    let trusted = issuer.trusted().token_type(TokenType::AnyJwt);
    let verifier = verifier(trusted.revocations(revocations.clone()));
    let undated = issuer.token().without_claim("iat");

    revocations.revoke(&Revocation::client("client-2", UnixTime::from_secs(0), UNTIL));
    assert!(is_accepted(&verifier, &undated));
    // Whose it is must be said to be revoked with a client.
    assert!(is_accepted(&verifier, &undated.clone().without_claim("client_id")));
    revocations.revoke(&Revocation::client("client-1", UnixTime::from_secs(0), UNTIL));
    assert!(!is_accepted(&verifier, &undated));
    revocations.revoke(&Revocation::issuer(UnixTime::from_secs(0), UNTIL));
    assert!(!is_accepted(&verifier, &undated.without_claim("client_id")));
}

/// R-REV-01: ids are those of one issuer.
#[test]
fn a_token_of_another_issuer_with_the_same_id_is_not_touched() {
    watch_traces();
    let named = |name| TestIssuer::named(name, Algorithm::Hs256).with_clock(FrozenClock::at(NOW));
    let (a, b) = (named("https://a.test"), named("https://b.test"));
    let (of_a, of_b) = (Revocations::new(), Revocations::new());
    let verifier = Verifier::builder()
        .issuer(a.trusted().revocations(of_a.clone()))
        .issuer(b.trusted().revocations(of_b.clone()))
        .clock(FrozenClock::at(NOW))
        .build()
        .unwrap();

    of_a.extend([
        Revocation::token("token-1", UNTIL),
        Revocation::issuer(UnixTime::from_secs(NOW), UNTIL),
    ]);
    assert!(!is_accepted(&verifier, &a.token()));
    assert!(is_accepted(&verifier, &b.token()));
    assert!(of_b.is_empty());
}

/// R-REV-01: the list is asked last: of a token that is not valid anyway it tells nothing.
#[test]
fn what_else_is_wrong_with_a_token_comes_before_its_revocation() {
    let (issuer, revocations, verifier) = revocable();
    revocations.extend([
        Revocation::token("token-1", UNTIL),
        Revocation::issuer(UnixTime::from_secs(NOW + 10_000), UNTIL),
    ]);
    let token = issuer.token();
    for (token, reason) in [
        (token.clone().foreign_key(), AuthErrorKind::BadSignature),
        (token.clone().tampered(), AuthErrorKind::BadSignature),
        (token.clone().wrong_audience(), AuthErrorKind::WrongAudience),
        (token.clone().not_yet_valid(), AuthErrorKind::NotYetValid),
        (token.clone().expired(), AuthErrorKind::Expired),
        (token, AuthErrorKind::Revoked),
    ] {
        assert_eq!(refusal(&verifier, &token.sign()), reason);
    }
}

/// R-REV-01: what is revoked is known as long as a clock that lags could take the token, and not
/// longer.
#[test]
fn a_revocation_is_kept_as_long_as_the_token_could_be_accepted() {
    let (issuer, revocations) = (issuer_with(Algorithm::Hs256), Revocations::new());
    let clock = FrozenClock::at(NOW);
    let trusted = issuer.trusted().leeway(Duration::from_secs(300));
    let verifier = Verifier::builder()
        .issuer(trusted.revocations(revocations.clone()))
        .clock(clock.clone())
        .build()
        .unwrap();
    let token = issuer.token().sign();
    revocations.revoke(&Revocation::token("token-1", UNTIL));

    clock.advance(Duration::from_secs(899));
    assert_eq!(revocations.purge(UnixTime::from_secs(NOW + 899)), 0);
    assert_eq!(refusal(&verifier, &token), AuthErrorKind::Revoked);
    clock.advance(Duration::from_secs(1));
    assert_eq!(revocations.purge(UNTIL), 0);
    assert_eq!(refusal(&verifier, &token), AuthErrorKind::Expired);
    assert_eq!(revocations.purge(UNTIL.saturating_add(Duration::from_secs(1))), 1);
    assert_eq!(refusal(&verifier, &token), AuthErrorKind::Expired);
}

/// R-REV-01: entries of every kind are forgotten when the second of `until` is over, and of several
/// for one thing the later `until` counts.
#[test]
fn what_is_past_its_time_is_forgotten() {
    let time = UnixTime::from_secs;
    let all = |until| {
        [
            Revocation::token("odd", until),
            Revocation::token(packed(7), until),
            Revocation::family("odd", until),
            Revocation::family(packed(7), until),
            Revocation::client("client-1", time(NOW), until),
            Revocation::issuer(time(NOW), until),
        ]
    };
    let revocations = Revocations::new();
    revocations.extend(all(time(2000)).into_iter().chain(all(time(1000))));
    assert_eq!(revocations.len(), 6);
    assert_eq!((revocations.purge(time(0)), revocations.purge(time(2000))), (0, 0));
    assert_eq!((revocations.purge(time(2001)), revocations.len()), (6, 0));
    assert_eq!((revocations.cut_off_of("client-1"), revocations.purge(UNTIL)), (None, 0));
}

/// R-REV-01: ids are compared as they are, of whatever form.
#[test]
fn odd_ids_are_ids_like_others() {
    let long = "x".repeat(3000);
    let ids = [
        "AAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAB", // 22 characters, but no strict base64url
        "AAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAA==",
        "aaaaaaaaaaaaaaaaaaaaag",
        "AAAAAAAAAAAAAAAAAAAAAg",
        "-_-_-_-_-_-_-_-_-_-_-w",
        "+/+/+/+/+/+/+/+/+/+/+w",
        "\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}", // 22 bytes
        "\u{65e5}\u{672c} \"\\\u{1f980}\n\0",
        " ",
        &long,
        &long[1..],
    ];
    for id in ids {
        let (issuer, revocations, verifier) = revocable();
        revocations.revoke(&Revocation::token(id, UNTIL));
        revocations.revoke(&Revocation::family(id, UNTIL));
        for other in ids {
            let is_other = other != id;
            let (token, family) = (issuer.token().claim("jti", other), of_family(&issuer, other));
            assert_eq!(is_accepted(&verifier, &token), is_other, "{id:?} {other:?}");
            assert_eq!(is_accepted(&verifier, &family), is_other, "{id:?} {other:?}");
        }
    }
}

/// R-REV-01: an empty id is one more text: no token may have it, and no other is meant by it.
#[test]
fn an_empty_id_stands_for_itself_only() {
    let (issuer, revocations, verifier) = revocable();
    let cut_off = UnixTime::from_secs(NOW);
    revocations.extend([
        Revocation::token("", UNTIL),
        Revocation::family("", UNTIL),
        Revocation::client("", cut_off, UNTIL),
    ]);
    assert_eq!(revocations.len(), 3);
    assert!(is_accepted(&verifier, &issuer.token()));
    assert!(is_accepted(&verifier, &of_family(&issuer, "family")));
    assert!(!is_accepted(&verifier, &of_family(&issuer, "")));
    assert_eq!(revocations.cut_off_of("client-1"), None);
}

/// R-REV-01: other issuers put what they like into `sid`. Where sessions may be revoked it must be
/// readable.
#[test]
fn a_session_id_that_is_no_string_matters_only_with_a_list() {
    let (issuer, revocations, with_list) = revocable();
    let without = verifier(issuer.trusted());
    for odd in ["42", "null", "true", "[\"family\"]", "{\"id\":\"family\"}"] {
        let value: serde_json::Value = serde_json::from_str(odd).unwrap();
        let token = issuer.token().claim("sid", value).sign();
        let verified = without.verify_now(&token).unwrap();
        assert_eq!(verified.session_id(), None, "{odd}");
        let refused = with_list.verify_now(&token).unwrap_err();
        assert_eq!((refused.kind(), refused.claim()), (AuthErrorKind::MalformedClaim, Some("sid")));
    }
    revocations.revoke(&Revocation::family("42", UNTIL));
    let expired = issuer.token().claim("sid", 42).expired().sign();
    assert_eq!(refusal(&with_list, &expired), AuthErrorKind::MalformedClaim);

    let escaped = crate::support::token_with(&issuer, &[("sid", r#""4\u0032""#)]);
    assert_eq!(without.verify_now(&escaped).unwrap().session_id(), Some("42"));
    assert_eq!(refusal(&with_list, &escaped), AuthErrorKind::Revoked);
    assert_eq!(without.verify_now(&issuer.token().sign()).unwrap().session_id(), None);
}

/// R-REV-01: a list that is loaded at start holds every entry, and none that was not in it.
#[test]
fn many_revocations_are_loaded_at_once() {
    let (issuer, revocations, verifier) = revocable();
    let ids = |numbers: std::ops::Range<u128>| {
        numbers.flat_map(|number| [packed(number << 90), format!("id-{number}")])
    };
    revocations.extend(ids(0..20_000).map(|id| Revocation::token(id, UNTIL)));
    revocations.extend(ids(0..20_000).map(|id| Revocation::family(id, UNTIL)));
    assert_eq!(revocations.len(), 80_000);
    revocations.extend(ids(10_000..20_500).map(|id| Revocation::token(id, UNTIL)));
    assert_eq!(revocations.len(), 81_000);

    for id in ids(0..20_500).step_by(499) {
        assert!(!is_accepted(&verifier, &issuer.token().claim("jti", id)));
    }
    for id in ids(20_500..30_000).step_by(499) {
        assert!(is_accepted(&verifier, &issuer.token().claim("jti", id.clone())));
        assert!(is_accepted(&verifier, &of_family(&issuer, &id)));
    }
}

/// R-REV-01: a revocation holds for whoever begins after it, in any thread, and for nobody else.
#[test]
fn tokens_are_revoked_while_requests_run_in_other_threads() {
    const READERS: usize = 4;
    let (issuer, revocations, verifier) = revocable();
    let victim = issuer.token().claim("jti", packed(1)).sign();
    let bystander = issuer.token().claim("jti", packed(2)).claim("sid", "bystander").sign();
    let (is_revoked, running) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                let mut rounds = 0_u64;
                loop {
                    let must_be_refused = is_revoked.load(Ordering::Acquire);
                    let result = verifier.verify_now(&victim).map_err(|error| error.kind());
                    assert!(verifier.verify_now(&bystander).is_ok());
                    match result {
                        Ok(_) => assert!(!must_be_refused),
                        Err(kind) => assert_eq!(kind, AuthErrorKind::Revoked),
                    }
                    if rounds == 0 {
                        running.fetch_add(1, Ordering::Release);
                    }
                    rounds += 1;
                    if must_be_refused {
                        break;
                    }
                }
            });
        }
        while running.load(Ordering::Acquire) < READERS {
            std::thread::yield_now();
        }
        // So many that every shard is replaced under the readers.
        for number in 100..5000 {
            revocations.revoke(&Revocation::token(packed(number), UNTIL));
            revocations.revoke(&Revocation::family(packed(number), UnixTime::from_secs(1)));
        }
        assert_eq!(revocations.purge(UnixTime::from_secs(2)), 4900);
        revocations.clone().revoke(&Revocation::token(packed(1), UNTIL));
        is_revoked.store(true, Ordering::Release);
    });
    assert_eq!(revocations.len(), 4901);
}

/// R-REV-01: nothing is lost where several threads revoke at once.
#[test]
fn writers_take_turns() {
    let revocations = Revocations::new();
    std::thread::scope(|scope| {
        for writer in 0..4_u128 {
            let revocations = revocations.clone();
            scope.spawn(move || {
                for number in 0..500 {
                    let id = packed(number * 4 + writer);
                    revocations.revoke(&Revocation::token(id.clone(), UNTIL));
                    let cut_off = UnixTime::from_secs(NOW);
                    revocations.revoke(&Revocation::client(id, cut_off, UNTIL));
                    revocations.purge(UnixTime::from_secs(NOW));
                }
            });
        }
    });
    assert_eq!(revocations.len(), 4000);
    assert!((0..2000).all(|number| revocations.cut_off_of(&packed(number)).is_some()));
}

/// R-REV-03: a token says by itself that it is valid. Without a list it is good until it expires, and
/// the manual says so.
#[test]
fn without_a_list_a_revoked_token_is_good_until_it_expires() {
    let clock = FrozenClock::at(NOW);
    let issuer = issuer().with_clock(clock.clone());
    let (verifier, token) = (issuer.verifier(), issuer.token().sign());
    let elsewhere = Revocations::new();
    let grant = verifier.verify_now(&token).unwrap();
    elsewhere.revoke(&Revocation::token("token-1", UNTIL));
    assert!(elsewhere.is_revoked(&grant));

    clock.advance(Duration::from_secs(659));
    assert!(verifier.verify_now(&token).is_ok());
    clock.advance(Duration::from_secs(1));
    assert_eq!(refusal(&verifier, &token), AuthErrorKind::Expired);

    let manual = include_str!("../../src/manual/howto.rs");
    let chapter = manual.split("//! # ").find(|part| part.starts_with("Revoke a token"));
    assert!(chapter.expect("a chapter").contains("good until it expires"));
}

/// Stores keep kinds by their names.
#[test]
fn kinds_are_known_by_stable_names() {
    let names: Vec<_> = RevocationKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names, ["token", "family", "client", "issuer"]);
    for kind in RevocationKind::ALL {
        assert_eq!(RevocationKind::of_name(kind.name()), Some(*kind));
    }
    for unknown in ["", "Token", "tokens", "token "] {
        assert_eq!(RevocationKind::of_name(unknown), None, "{unknown:?}");
    }
}

/// What goes into a revocation comes out of it, for stores.
#[test]
fn a_revocation_tells_what_it_is_made_of() {
    let cut_off = UnixTime::from_secs(5);
    for (revocation, kind, id, wanted) in [
        (Revocation::token("a", UNTIL), RevocationKind::Token, "a", None),
        (Revocation::family("b", UNTIL), RevocationKind::Family, "b", None),
        (Revocation::client("c", cut_off, UNTIL), RevocationKind::Client, "c", Some(cut_off)),
        (Revocation::issuer(cut_off, UNTIL), RevocationKind::Issuer, "", Some(cut_off)),
    ] {
        assert_eq!((revocation.kind(), revocation.id()), (kind, id));
        assert_eq!((revocation.cut_off(), revocation.until()), (wanted, UNTIL));
        assert_eq!(revocation, revocation.clone());
    }
}

/// X-LOG-01: a list may be long, and whose tokens are revoked is for nobody who prints a verifier.
#[test]
fn debug_of_a_list_tells_its_length_only() {
    let revocations = Revocations::new();
    revocations.revoke(&Revocation::token("token-1", UNTIL));
    assert_eq!(format!("{revocations:?}"), "Revocations { len: 1, .. }");
}

/// What may be done to a list.
#[derive(Clone, Debug)]
enum Step {
    Revoke(Revocation),
    Extend(Vec<Revocation>),
    Purge(u64),
}

/// Few ids, of both forms, so that they meet.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![(0..6_u128).prop_map(packed), "[ab]", Just("AAAAAAAAAAAAAAAAAAAAAB".to_owned())]
}

fn revocation() -> impl Strategy<Value = Revocation> {
    let time = || (0..20_u64).prop_map(|second| UnixTime::from_secs(NOW - 10 + second));
    prop_oneof![
        4 => (id(), time()).prop_map(|(id, until)| Revocation::token(id, until)),
        4 => (id(), time()).prop_map(|(id, until)| Revocation::family(id, until)),
        2 => (id(), time(), time()).prop_map(|(id, cut, until)| Revocation::client(id, cut, until)),
        1 => (time(), time()).prop_map(|(cut_off, until)| Revocation::issuer(cut_off, until)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => revocation().prop_map(Step::Revoke),
        2 => prop::collection::vec(revocation(), 0..8).prop_map(Step::Extend),
        2 => (NOW - 12..NOW + 12).prop_map(Step::Purge),
    ]
}

/// Too simple to be wrong: the cut-off and the end of each.
#[derive(Default)]
struct Model(HashMap<(RevocationKind, String), (Option<UnixTime>, UnixTime)>);

impl Model {
    fn add(&mut self, revocation: &Revocation) {
        let key = (revocation.kind(), revocation.id().to_owned());
        let (cut_off, until) = self.0.entry(key).or_default();
        *cut_off = (*cut_off).max(revocation.cut_off());
        *until = (*until).max(revocation.until());
    }

    fn is_revoked(&self, grant: &Grant) -> bool {
        self.0.iter().any(|((kind, id), (cut_off, _))| match kind {
            RevocationKind::Token => grant.token_id() == Some(id),
            RevocationKind::Family => grant.session_id() == Some(id),
            RevocationKind::Client => {
                grant.client_id() == Some(id) && grant.issued_at() <= *cut_off
            }
            _ => grant.issued_at() <= *cut_off,
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// R-REV-01
    #[test]
    fn a_list_refuses_what_a_simple_model_does(
        steps in prop::collection::vec(step(), 0..24),
        tokens in prop::collection::vec((id(), id(), id(), NOW - 12..NOW + 12), 1..12),
    ) {
        let issuer = issuer_with(Algorithm::Hs256);
        let without = verifier(issuer.trusted());
        let grants: Vec<_> = tokens.iter().map(|(token, family, client, issued)| {
            let token = issuer.token().claim("jti", token.as_str()).claim("iat", *issued);
            let token = token.claim("sid", family.as_str()).claim("client_id", client.as_str());
            without.verify_now(&token.sign()).unwrap()
        }).collect();
        let (revocations, mut model) = (Revocations::new(), Model::default());
        for step in &steps {
            match step {
                Step::Revoke(revocation) => {
                    revocations.revoke(revocation);
                    model.add(revocation);
                }
                Step::Extend(all) => {
                    revocations.extend(all.iter().cloned());
                    all.iter().for_each(|revocation| model.add(revocation));
                }
                Step::Purge(now) => {
                    let (now, before) = (UnixTime::from_secs(*now), model.0.len());
                    model.0.retain(|_, (_, until)| *until >= now);
                    prop_assert_eq!(revocations.purge(now), before - model.0.len());
                }
            }
            prop_assert_eq!(revocations.len(), model.0.len());
            for grant in &grants {
                prop_assert_eq!(revocations.is_revoked(grant), model.is_revoked(grant));
            }
        }
    }
}
