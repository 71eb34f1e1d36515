//! Tokens that are remembered: each of the ways in which such a memory has let somebody in elsewhere.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_bearer::{
    AuthErrorKind as Kind, AuthLayer, ConfigError, Issuer, RequireScope, Verifier,
    key::KeySet,
    revocation::{Revocation, Revocations},
    scope,
    scope::ScopeToken,
    test_util::{self, FrozenClock, TestIssuer},
    time::UnixTime,
    verifier::{CacheConfig, CacheStats},
};

use crate::support::{C3, C3X, NOW, Protected, assert_refused, c4, watch_traces};

fn issuer() -> (TestIssuer, FrozenClock) {
    watch_traces();
    let clock = FrozenClock::at(NOW);
    (TestIssuer::new().with_clock(clock.clone()), clock)
}

fn remembering(trusted: Issuer, clock: &FrozenClock) -> Verifier {
    with(CacheConfig::new(), [trusted], clock)
}

fn with(
    config: CacheConfig,
    trusted: impl IntoIterator<Item = Issuer>,
    clock: &FrozenClock,
) -> Verifier {
    let builder = Verifier::builder().cache(config).clock(clock.clone());
    let builder = trusted.into_iter().fold(builder, |all, one| all.issuer(one));
    builder.build().expect("the verifier is sound")
}

/// A token unlike those of other users, also where signatures hold no chance.
fn of_user(issuer: &TestIssuer, number: usize) -> String {
    issuer.token().subject(&format!("user-{number}")).sign()
}

fn stats(verifier: &Verifier) -> CacheStats {
    verifier.cache_stats().expect("there is a cache")
}

/// Hits, misses and entries.
fn counts(verifier: &Verifier) -> (u64, u64, u64) {
    let CacheStats { hits, misses, entries, .. } = stats(verifier);
    (hits, misses, entries)
}

fn refusal(verifier: &Verifier, token: &str) -> Kind {
    verifier.verify_now(token).expect_err("the token is refused").kind()
}

/// Runs this while other threads present these tokens again and again.
fn while_others_ask(verifier: &Verifier, tokens: &[&str], run: impl FnOnce()) {
    /// Lets them end, also if an assertion fails, so that a failure is told.
    struct Done<'a>(&'a AtomicBool);
    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _done = Done(&is_done);
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    for token in tokens {
                        let _ = verifier.verify_now(token);
                    }
                }
            });
        }
        run();
    });
}

#[test]
fn a_token_is_verified_once_and_known_from_then_on() {
    let (issuer, clock) = issuer();
    let verifier = remembering(issuer.trusted(), &clock);
    let token = issuer.token().subject("alice").scope("a b").sign();
    for hits in 0..3 {
        let verified = verifier.clone().verify_now(&token).unwrap();
        assert_eq!((verified.subject(), verified.scopes().len()), (Some("alice"), 2));
        assert_eq!(counts(&verifier), (hits, 1, 1));
    }
    let other = issuer.token().subject("bob").sign();
    assert_eq!(verifier.verify_now(&other).unwrap().subject(), Some("bob"));
    assert_eq!(counts(&verifier), (2, 2, 2));
    assert!(issuer.verifier().cache_stats().is_none());
}

#[tokio::test]
async fn handlers_get_their_own_claims_from_a_known_token() {
    #[derive(serde::Deserialize)]
    struct Own {
        tenant: String,
    }
    let (issuer, clock) = issuer();
    let verifier = Verifier::builder()
        .issuer(issuer.trusted())
        .clock(clock)
        .cache(CacheConfig::new())
        .claims::<Own>()
        .build()
        .unwrap();
    let inner = service_fn(|request: Request<String>| async move {
        let context = tower_bearer::AuthContext::of(request.extensions()).unwrap();
        let own = context.verified::<Own>().unwrap().unwrap();
        assert!(context.verified::<()>().unwrap().is_some());
        assert_eq!(context.verified::<String>().unwrap_err().kind(), Kind::ClaimsTypeMismatch);
        Ok::<_, std::convert::Infallible>(Response::new(own.custom().tenant.clone()))
    });
    let service = AuthLayer::new(verifier.clone()).layer(inner);
    let [acme, other] =
        ["acme", "other"].map(|tenant| (tenant, issuer.token().claim("tenant", tenant).sign()));
    for (tenant, token) in [&acme, &acme, &other, &acme, &other] {
        let request = test_util::get("/", token);
        assert_eq!(service.clone().oneshot(request).await.unwrap().body(), tenant);
    }
    assert_eq!(verifier.cache_stats().unwrap().hits, 3);
}

/// What was granted at one route is no pass for another.
#[tokio::test]
async fn every_guard_looks_at_a_known_token_itself() {
    let (issuer, clock) = issuer();
    let verifier = remembering(issuer.trusted(), &clock);
    let token = issuer.token().scope("reports:read").sign();
    let inner = service_fn(|_: Request<String>| async {
        Ok::<_, std::convert::Infallible>(Response::new(String::new()))
    });
    let reads = RequireScope::all([scope!("reports:read")]).layer(inner);
    let writes = RequireScope::all([scope!("reports:write")]).layer(inner);
    let layer = AuthLayer::new(verifier.clone());
    for _ in 0..3 {
        let read = layer.layer(reads.clone()).oneshot(test_util::get("/", &token)).await.unwrap();
        assert_eq!(read.status(), 200);
        let written = layer.layer(writes.clone()).oneshot(test_util::get("/", &token)).await;
        assert_refused(&written.unwrap(), 403, Some(&c4("reports:write")));
    }
    assert_eq!(counts(&verifier), (5, 1, 1));
}

/// R-JWT-30: the answer to a token that has expired is the same as if nobody had known it.
#[tokio::test]
async fn a_known_token_expires() {
    let (issuer, clock) = issuer();
    let verifier = remembering(issuer.trusted().leeway(Duration::from_secs(5)), &clock);
    let protected = Protected::by(verifier.clone());
    let token = issuer.token().claim("exp", NOW + 100).sign();
    protected.accepts(&token, "new").await;
    clock.set(NOW + 104);
    protected.accepts(&token, "in the last second").await;
    clock.set(NOW + 105);
    assert_refused(&protected.send_token(&token).await, 401, Some(C3X));
    assert_eq!(counts(&verifier), (1, 2, 0));
}

#[test]
fn a_known_token_is_not_good_before_its_time() {
    let (issuer, clock) = issuer();
    let verifier = remembering(issuer.trusted(), &clock);
    let token = issuer.token().claim("nbf", NOW).sign();
    assert!(verifier.verify_now(&token).is_ok());
    clock.set(NOW - 61);
    assert_eq!(refusal(&verifier, &token), Kind::NotYetValid);
    clock.set(NOW - 60);
    assert!(verifier.verify_now(&token).is_ok());
}

/// R-JWT-30
#[tokio::test]
async fn a_key_that_is_withdrawn_takes_the_known_tokens_along() {
    let (issuer, clock) = issuer();
    let next = TestIssuer::new().key().clone().with_id("next").unwrap();
    let verifier = remembering(issuer.trusted_with(KeySet::new([issuer.key().clone()])), &clock);
    let protected = Protected::by(verifier.clone());
    let token = issuer.token().sign();
    protected.accepts(&token, "new").await;

    // One more key, and all of them are looked at once more.
    let both = KeySet::new([next.clone(), issuer.key().clone()]);
    verifier.replace_keys(issuer.name(), both.clone()).unwrap();
    protected.accepts(&token, "with one key more").await;
    assert_eq!(counts(&verifier), (0, 2, 1));
    // The same keys once more change nothing, as whenever they are fetched.
    verifier.replace_keys(issuer.name(), both).unwrap();
    protected.accepts(&token, "with the same keys").await;
    assert_eq!(counts(&verifier), (1, 2, 1));

    verifier.replace_keys(issuer.name(), next).unwrap();
    assert_refused(&protected.send_token(&token).await, 401, Some(C3));
    assert_eq!(refusal(&verifier, &token), Kind::UnknownKey);
    assert_eq!(counts(&verifier), (1, 4, 0));
}

#[test]
fn a_key_that_takes_the_id_of_another_does_not_vouch_for_its_tokens() {
    let (issuer, clock) = issuer();
    let verifier = remembering(issuer.trusted(), &clock);
    let token = issuer.token().sign();
    assert!(verifier.verify_now(&token).is_ok());
    let id = issuer.key().id().unwrap();
    let other = TestIssuer::new().key().clone().with_id(id).unwrap();
    verifier.replace_keys(issuer.name(), other).unwrap();
    assert_eq!(refusal(&verifier, &token), Kind::BadSignature);
}

/// Which tenants are ours can change at any time.
#[test]
fn a_tenant_that_is_no_longer_ours_takes_its_known_tokens_along() {
    let (issuer, clock) = issuer();
    let ours = Arc::new(AtomicBool::new(true));
    let are_ours = {
        let ours = Arc::clone(&ours);
        move |tenant: &str| tenant == "a" || ours.load(Ordering::Relaxed)
    };
    let tenants = Issuer::of_tenants("https://login.test/{tenantid}", are_ours)
        .audience(issuer.audience())
        .algorithms([issuer.algorithm()])
        .keys(issuer.keys());
    let verifier = remembering(tenants, &clock);
    let token = |tenant| issuer.token().claim("iss", format!("https://login.test/{tenant}")).sign();
    let [a, b] = ["a", "b"].map(token);
    for hits in [0, 2] {
        assert!(verifier.verify_now(&a).is_ok() && verifier.verify_now(&b).is_ok());
        assert_eq!(counts(&verifier), (hits, 2, 2));
    }
    ours.store(false, Ordering::Relaxed);
    assert_eq!(refusal(&verifier, &b), Kind::UnknownIssuer);
    assert!(verifier.verify_now(&a).is_ok());
    assert_eq!(counts(&verifier), (3, 3, 1));
}

#[test]
fn keys_of_one_issuer_are_no_matter_of_another() {
    let (one, clock) = issuer();
    let two = TestIssuer::named("https://two.test", one.algorithm()).with_clock(clock.clone());
    let verifier = with(CacheConfig::new(), [one.trusted(), two.trusted()], &clock);
    let tokens = [one.token().sign(), two.token().sign()];
    for token in &tokens {
        assert!(verifier.verify_now(token).is_ok());
    }
    let other = TestIssuer::new().key().clone().with_id("other").unwrap();
    verifier.replace_keys(one.name(), other).unwrap();
    assert_eq!(refusal(&verifier, &tokens[0]), Kind::UnknownKey);
    assert_eq!(verifier.verify_now(&tokens[1]).unwrap().issuer(), two.name());
    assert_eq!(counts(&verifier), (1, 3, 1));
}

/// R-JWS-33: by its id, so that the same token with another signature is revoked, too.
#[test]
fn a_known_token_is_revoked_at_the_next_request() {
    let (issuer, clock) = issuer();
    for revoke in [
        |id: &str| Revocation::token(id, UnixTime::from_secs(NOW + 1000)),
        |_: &str| Revocation::family("family", UnixTime::from_secs(NOW + 1000)),
        |_: &str| {
            let (now, until) = (UnixTime::from_secs(NOW), UnixTime::from_secs(NOW + 1000));
            Revocation::issuer(now, until)
        },
    ] {
        let revocations = Revocations::new();
        let verifier = remembering(issuer.trusted().revocations(revocations.clone()), &clock);
        let token = issuer.token().claim("jti", "one").claim("sid", "family");
        let [known, same] = [token.sign(), token.sign()];
        // ES256 signs with chance in it, but for the pure-Rust backend.
        assert_eq!(known == same, cfg!(not(feature = "aws-lc-rs")));
        assert!(verifier.verify_now(&known).is_ok());
        assert!(verifier.verify_now(&known).is_ok());
        revocations.revoke(&revoke("one"));
        assert_eq!(refusal(&verifier, &known), Kind::Revoked);
        assert_eq!(refusal(&verifier, &same), Kind::Revoked);
        assert_eq!(counts(&verifier), (1, 3, 0));
    }
}

/// R-KEY-26: who cannot say which keys are good does not say it of known tokens either.
#[cfg(feature = "remote-keys")]
#[tokio::test]
async fn known_tokens_are_not_good_for_longer_than_the_keys() {
    use tower_bearer::{
        remote_keys::RemoteKeys,
        test_util::{Answer, MemoryFetch},
    };
    const JWKS: &str = "https://issuer.test/jwks";
    let (issuer, clock) = issuer();
    let web = MemoryFetch::new(&clock);
    web.serve(JWKS, Answer::json(issuer.jwks()));
    let keys = RemoteKeys::new(JWKS).fetch(web.clone());
    let verifier = remembering(issuer.trusted_with(keys), &clock);
    let token = issuer.token().claim("exp", NOW + 1_000_000).sign();
    assert!(verifier.verify(&token).await.is_ok());
    assert_eq!(counts(&verifier), (0, 1, 1), "waiting for keys is no second miss");
    let settle = async |seconds| {
        clock.advance(Duration::from_secs(seconds));
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    };
    // Fetched once more, and the same.
    settle(300).await;
    assert!(verifier.verify(&token).await.is_ok());
    settle(300).await;
    assert!(verifier.verify(&token).await.is_ok());
    assert_eq!(counts(&verifier).0, 2);
    assert!(web.count(JWKS) > 1);

    web.serve(JWKS, Answer::unreachable());
    settle(300).await;
    assert!(verifier.verify(&token).await.is_ok());
    settle(2 * 3600).await;
    let refused = verifier.verify(&token).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::KeysUnavailable);
}

#[tokio::test]
async fn refusals_are_not_remembered() {
    let (issuer, clock) = issuer();
    let verifier = remembering(issuer.trusted(), &clock);
    let protected = Protected::by(verifier.clone());
    let refused = [
        (issuer.token().tampered().sign(), C3),
        (issuer.token().wrong_audience().sign(), C3),
        (issuer.token().unknown_key().sign(), C3),
        (issuer.token().expired().sign(), C3X),
    ];
    for (token, challenge) in &refused {
        for _ in 0..3 {
            assert_refused(&protected.send_token(token).await, 401, Some(challenge));
        }
    }
    assert_eq!(counts(&verifier), (0, 12, 0));

    // What was refused for being early is good in time.
    let token = issuer.token().claim("nbf", NOW + 100).sign();
    assert_eq!(refusal(&verifier, &token), Kind::NotYetValid);
    clock.advance(Duration::from_secs(100));
    assert!(verifier.verify_now(&token).is_ok());
}

/// A token is known as a whole, to the last bit.
#[test]
fn what_looks_like_a_known_token_is_another_one() {
    let (issuer, clock) = issuer();
    let verifier = remembering(issuer.trusted(), &clock);
    let token = issuer.token().sign();
    assert!(verifier.verify_now(&token).is_ok());
    for at in 0..token.len() {
        let mut other = token.clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        assert!(verifier.verify_now(&other).is_err(), "{at}");
        assert!(verifier.verify_now(&token[..at]).is_err(), "{at}");
    }
    for longer in [format!("{token}A"), format!("{token}."), format!(" {token}")] {
        assert!(verifier.verify_now(&longer).is_err());
    }
    assert!(verifier.verify_now(&token).is_ok());
    let CacheStats { hits, entries, evictions, .. } = stats(&verifier);
    assert_eq!((hits, entries, evictions), (1, 1, 0));
}

#[test]
fn long_tokens_are_verified_each_time() {
    let (issuer, clock) = issuer();
    let verifier = with(CacheConfig::new().max_token_len(1000), [issuer.trusted()], &clock);
    let token = issuer.token().claim("padding", "x".repeat(1000)).sign();
    for misses in 1..4 {
        assert!(verifier.verify_now(&token).is_ok());
        assert_eq!(counts(&verifier), (0, misses, 0));
    }
}

#[test]
fn what_is_too_large_to_be_held_pushes_nobody_out() {
    let (issuer, clock) = issuer();
    let many = (0..10_000).map(|number| ScopeToken::new(format!("scope-{number}")).unwrap());
    let trusted = issuer.trusted().implies(scope!("everything"), many);
    let verifier = with(CacheConfig::new().max_bytes(64 * 1024), [trusted], &clock);
    let small = issuer.token().sign();
    let large = issuer.token().scope("everything").sign();
    for token in [&small, &large, &large, &small] {
        assert!(verifier.verify_now(token).is_ok());
    }
    let CacheStats { hits, misses, entries, evictions, .. } = stats(&verifier);
    assert_eq!((hits, misses, entries, evictions), (1, 3, 1, 0));
}

/// The places of many scopes and audiences take room, too.
#[test]
fn what_is_known_counts_with_all_that_it_takes() {
    let (issuer, clock) = issuer();
    let counted = |scope: &str, audience: &[&str]| {
        let config = CacheConfig::new().max_entries(10_000_000);
        let verifier = with(config, [issuer.trusted()], &clock);
        let token = issuer.token().scope(scope).claim("aud", audience);
        assert!(verifier.verify_now(&token.sign()).is_ok());
        stats(&verifier).bytes
    };
    let one = "x".repeat(179);
    let many: Vec<String> =
        (b'#'..=b'[').chain(b']'..=b'}').map(|byte| char::from(byte).into()).collect();
    let many: String = many[..90].join(" ");
    let ours = issuer.audience();
    let plain = counted(&one, &[ours]);
    // Their places, and a table of twice as many numbers, up to a power of two.
    assert_eq!(counted(&many, &[ours]), plain + 90 * 8 + 256 * 4);
    // Once more in the token, where it is a third longer, and in both texts, with quotes and a comma.
    let texts = 3 * (ours.len() as u64 + 3);
    assert!(counted(&one, &[ours, ours]) >= plain + texts + 2 * 4);
}

/// More tokens that come once than there is room for push nobody out who is there all the time, and
/// what is remembered stays within its bounds.
#[test]
fn a_flood_of_good_tokens_displaces_nobody_who_comes_often() {
    let (issuer, clock) = issuer();
    let config = CacheConfig::new().max_entries(256).max_bytes(1024 * 1024);
    let verifier = with(config, [issuer.trusted()], &clock);
    let regulars: Vec<_> = (0..32).map(|number| of_user(&issuer, number)).collect();
    for token in regulars.iter().cycle().take(32 * 4) {
        assert!(verifier.verify_now(token).is_ok());
    }
    for round in 1..=5 {
        for number in 0..600 {
            let newcomer = of_user(&issuer, 600 * round + number);
            assert!(verifier.verify_now(&newcomer).is_ok());
        }
        let before = stats(&verifier).hits;
        for token in &regulars {
            assert!(verifier.verify_now(token).is_ok());
        }
        let CacheStats { hits, entries, bytes, .. } = stats(&verifier);
        assert_eq!(hits - before, 32, "round {round}");
        assert!(entries <= 256 && bytes <= 1024 * 1024, "{entries} {bytes}");
    }
    assert!(stats(&verifier).evictions > 1500, "{:?}", stats(&verifier));
}

/// Nobody without a good token leaves a trace.
#[test]
fn a_flood_of_junk_is_not_remembered() {
    let (issuer, clock) = issuer();
    let verifier = remembering(issuer.trusted(), &clock);
    let token = issuer.token().sign();
    assert!(verifier.verify_now(&token).is_ok());
    let (head, _) = token.rsplit_once('.').unwrap();
    for number in 0..2000 {
        let signature = base64_simd::URL_SAFE_NO_PAD.encode_to_string([number as u8; 64]);
        assert!(verifier.verify_now(&format!("{head}.{signature}")).is_err());
        assert!(verifier.verify_now(&format!("{number}.{head}")).is_err());
    }
    let CacheStats { entries, evictions, misses, .. } = stats(&verifier);
    assert_eq!((entries, evictions, misses), (1, 0, 4001));
}

#[test]
fn many_threads_share_what_is_known() {
    let (issuer, clock) = issuer();
    let verifier = remembering(issuer.trusted(), &clock);
    let tokens: Vec<_> = (0..8).map(|number| of_user(&issuer, number)).collect();
    for token in &tokens {
        assert!(verifier.verify_now(token).is_ok());
    }
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                for token in tokens.iter().cycle().take(80) {
                    assert!(verifier.verify_now(token).is_ok());
                }
            });
        }
    });
    assert_eq!(counts(&verifier), (1600, 8, 8));
}

/// Keys that change while requests run: whoever comes later sees it.
#[test]
fn other_keys_are_seen_by_all_that_begin_after_the_change() {
    let (issuer, clock) = issuer();
    let verifier = remembering(issuer.trusted(), &clock);
    let token = issuer.token().sign();
    let other = TestIssuer::new().key().clone().with_id("other").unwrap();
    while_others_ask(&verifier, &[&token], || {
        for _ in 0..200 {
            verifier.replace_keys(issuer.name(), other.clone()).unwrap();
            assert_eq!(refusal(&verifier, &token), Kind::UnknownKey);
            verifier.replace_keys(issuer.name(), issuer.key().clone()).unwrap();
            assert!(verifier.verify_now(&token).is_ok());
        }
    });
}

/// Tokens that are revoked while requests run: whoever comes later sees it.
#[test]
fn a_revocation_is_seen_by_all_that_begin_after_it() {
    let (issuer, clock) = issuer();
    let revocations = Revocations::new();
    let verifier = remembering(issuer.trusted().revocations(revocations.clone()), &clock);
    let tokens: Vec<_> = (0..50)
        .map(|number| (format!("token-{number}"), issuer.token()))
        .map(|(id, token)| (token.claim("jti", id.as_str()).sign(), id))
        .collect();
    let all: Vec<_> = tokens.iter().map(|(token, _)| token.as_str()).collect();
    while_others_ask(&verifier, &all, || {
        for (token, id) in &tokens {
            revocations.revoke(&Revocation::token(id, UnixTime::from_secs(NOW + 1000)));
            assert_eq!(refusal(&verifier, token), Kind::Revoked);
        }
    });
    assert!(tokens.iter().all(|(token, _)| refusal(&verifier, token) == Kind::Revoked));
}

#[test]
fn limits_that_make_no_sense_are_refused() {
    let (issuer, _) = issuer();
    let refused = |config| {
        let built = Verifier::builder().issuer(issuer.trusted()).cache(config).build();
        built.expect_err("the limits are wrong")
    };
    let new = CacheConfig::new;
    for (config, name, value) in [
        (new().max_entries(63), "cache max_entries", 63),
        (new().max_entries(10_000_001), "cache max_entries", 10_000_001),
        (new().max_bytes(65_535), "cache max_bytes", 65_535),
        (new().max_bytes((1 << 30) + 1), "cache max_bytes", (1 << 30) + 1),
        (new().max_token_len(255), "cache max_token_len", 255),
        (new().max_token_len(65_537), "cache max_token_len", 65_537),
        (new().max_token_len(usize::MAX), "cache max_token_len", usize::MAX as u64),
        (
            new().max_token_len(64 * 1024).max_bytes(655_743),
            "cache max_bytes for two tokens of max_token_len",
            655_743,
        ),
    ] {
        let ConfigError::OutOfRange { name: named, value: given, .. } = refused(config) else {
            panic!("another error");
        };
        assert_eq!((named, given), (name, value));
    }
    let least = new().max_token_len(64 * 1024).max_bytes(655_744);
    assert!(Verifier::builder().issuer(issuer.trusted()).cache(least).build().is_ok());
}

/// What its scopes take beside their text is counted, too.
#[test]
fn the_smallest_cache_for_a_length_remembers_a_token_of_that_length() {
    let (issuer, clock) = issuer();
    let letters = || ('a'..='z').chain('A'..='Z');
    let pairs = letters().flat_map(|first| letters().map(move |second| format!("{first}{second}")));
    let pairs = pairs.take(1800);
    let token = issuer.token().scope(&pairs.collect::<Vec<_>>().join(" ")).sign();
    let config = CacheConfig::new().max_token_len(token.len()).max_entries(10_000_000);
    let least = 10 * token.len() + 384;
    assert!(least > 64 * 1024, "the least of all is not what decides");
    let verifier = with(config.max_bytes(least), [issuer.trusted()], &clock);
    for _ in 0..3 {
        assert!(verifier.verify_now(&token).is_ok());
    }
    assert_eq!(counts(&verifier), (2, 1, 1));
}

/// However small the memory is, it holds something.
#[test]
fn the_smallest_cache_remembers_a_token_of_the_usual_size() {
    let (issuer, clock) = issuer();
    for config in [
        CacheConfig::new().max_entries(64).max_bytes(64 * 1024),
        CacheConfig::new().max_entries(10_000_000).max_bytes(64 * 1024),
        CacheConfig::new().max_entries(64).max_bytes(1 << 30),
    ] {
        let verifier = with(config, [issuer.trusted()], &clock);
        let token = issuer.token().scope("reports:read").sign();
        assert!(verifier.verify_now(&token).is_ok());
        assert!(verifier.verify_now(&token).is_ok());
        assert_eq!(counts(&verifier), (1, 1, 1));
    }
}
