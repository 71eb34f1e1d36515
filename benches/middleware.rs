//! What a request costs through the whole Tower path, beside the service that one would write by
//! hand with `jsonwebtoken`, in one process and in turns.
//!
//! ```text
//! cargo bench --features full,test-util --bench middleware
//! cargo bench --features full,test-util --bench middleware -- HS256
//! cargo bench --features full,test-util --bench middleware -- --smoke
//! ```
//!
//! Times are noisy, ratios less so. `benches/instructions` counts instructions, which are repeatable.

#![expect(clippy::expect_used, reason = "a benchmark has no readers of its API")]

#[path = "shared/compare.rs"]
mod compare;
#[path = "shared/fixture.rs"]
mod fixture;
#[path = "shared/memory.rs"]
mod memory;
#[path = "shared/remote.rs"]
mod remote;
#[path = "shared/revoked.rs"]
mod revoked;
#[path = "shared/mod.rs"]
mod shared;
#[path = "shared/threads.rs"]
mod threads;

use std::hint::black_box;

use http::Request;
use tower::Layer;
use tower_bearer::{
    Algorithm, AuthLayer, Issuer, Verifier,
    auth::AuthService,
    scope::{Requirement, ScopeSet, ScopeToken},
    token::BearerHeader,
    verifier::CacheConfig,
};

use crate::{
    fixture::{Claims, Fixture, padded, request, requests},
    shared::{Contender, Empty, Options},
};

const BY_HAND: usize = 1;

fn main() {
    let options = Options::from_arguments();
    let provider = &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
    #[expect(clippy::disallowed_methods, reason = "the contender needs its process-wide default")]
    let installed = provider.install_default();
    installed.expect("no other provider");

    for algorithm in [Algorithm::Hs256, Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        if !options.wants(algorithm.name()) {
            continue;
        }
        let fixture = Fixture::new(algorithm);
        accepted(&options, &fixture);
        cached(&options, &fixture);
        verified(&options, &fixture);
        refused(&options, &fixture);
    }
    if options.wants("RS256") {
        remote_keys(&options, &Fixture::new(Algorithm::Rs256));
    }
    if options.wants("HS256") {
        let fixture = Fixture::new(Algorithm::Hs256);
        growth(&options, &fixture);
        threads::scaling(&options, &fixture);
        memory::of_full_caches(&options, &fixture);
    }
    if options.wants("scopes") {
        scopes(&options);
    }
    if options.wants("revocation lookup") {
        revoked::lookups(&options);
    }
    if options.wants("revocation HS256") {
        revocation(&options);
    }
    if options.wants("revocation changes") {
        revoked::changes(&options);
    }
}

fn accepted(options: &Options, fixture: &Fixture) {
    let valid = &fixture.valid;
    options.compare(
        &format!("{} accepted", fixture.algorithm),
        BY_HAND,
        vec![
            Contender::service("bare service", Empty, 200, request(valid)),
            Contender::service("by hand", fixture.by_hand(Empty), 200, request(valid)),
            Contender::service("tower-bearer", guarded(fixture.trusted(1)), 200, request(valid)),
            Contender::service(
                "tower-bearer, no claims type",
                plain(fixture.trusted(1)),
                200,
                request(valid),
            ),
        ],
    );
}

/// Tokens that were verified before: one, or many in turns, so that none stays near.
fn cached(options: &Options, fixture: &Fixture) {
    let group = format!("{} cached", fixture.algorithm);
    if !options.runs(&group) {
        return;
    }
    let counts = [1, 1000, 10_000].into_iter();
    let counts = counts.filter(|count| *count <= 1000 || fixture.algorithm == Algorithm::Hs256);
    let known = counts.map(|count| {
        let tokens = fixture.many(count);
        let service = remembering(fixture.trusted(1), &tokens);
        Contender::service(format!("{count} tokens"), service, 200, requests(&tokens))
    });
    let by_hand =
        Contender::service("by hand", fixture.by_hand(Empty), 200, request(&fixture.valid));
    let bare = Contender::service("bare service", Empty, 200, request(&fixture.valid));
    options.compare(&group, BY_HAND, [bare, by_hand].into_iter().chain(known).collect());
}

/// Without HTTP around it.
fn verified(options: &Options, fixture: &Fixture) {
    let (by_hand, token) = (fixture.by_hand(Empty), fixture.valid.clone());
    let (verifier, same) = (verifier(fixture.trusted(1)), token.clone());
    options.compare(
        &format!("{} verified", fixture.algorithm),
        0,
        vec![
            Contender::new("decode_header + decode", move || {
                black_box(by_hand.verify(&token).expect("a good token"));
            }),
            Contender::new("Verifier::verify_now", move || {
                black_box(verifier.verify_now(&same).expect("a good token"));
            }),
        ],
    );
}

/// What a guard asks, on the cheap and on the dear side.
fn scopes(options: &Options) {
    let set = |count: usize| {
        let scopes = (0..count).map(|number| format!("resource-{number}:read"));
        ScopeSet::parse(&scopes.collect::<Vec<_>>().join(" ")).expect("scopes")
    };
    let all = |granted: &ScopeSet, count: usize| {
        let required = granted.iter().step_by(granted.len() / count).take(count);
        Requirement::try_all(required.map(|scope| ScopeToken::new(scope).expect("a scope")))
            .expect("a requirement")
    };
    let check = |granted: usize, required: usize| {
        let granted = set(granted);
        let requirement = all(&granted, required);
        Contender::new(format!("{required} of {}", granted.len()), move || {
            assert!(black_box(&requirement).is_met_by(black_box(&granted)));
        })
    };
    let checks = [(5, 1), (5, 5), (100, 20), (1000, 20)];
    let checks = checks.map(|(granted, required)| check(granted, required));
    options.compare("scopes required", 0, checks.into());
}

fn refused(options: &Options, fixture: &Fixture) {
    let cases = [
        ("bad signature", &fixture.bad_signature),
        ("expired", &fixture.expired),
        ("wrong audience", &fixture.wrong_audience),
    ];
    for (name, token) in cases {
        options.compare(
            &format!("{} {name}", fixture.algorithm),
            0,
            vec![
                Contender::service("by hand", fixture.by_hand(Empty), 401, request(token)),
                Contender::service("tower-bearer", warmed(fixture), 401, request(token)),
            ],
        );
    }
    let missing = || Request::new(());
    options.compare(
        &format!("{} no credentials", fixture.algorithm),
        0,
        vec![
            Contender::service("by hand", fixture.by_hand(Empty), 401, missing),
            Contender::service("tower-bearer", guarded(fixture.trusted(1)), 401, missing),
        ],
    );
}

/// Keys, issuers and token size: the first row of each is the measure of the others.
fn growth(options: &Options, fixture: &Fixture) {
    let with_keys = [1, 10, 100].map(|keys| {
        let service = guarded(fixture.trusted(keys));
        Contender::service(format!("{keys} keys"), service, 200, request(&fixture.valid))
    });
    options.compare("HS256 keys", 0, with_keys.into());

    let with_issuers = [1, 2, 10, 50].map(|issuers| {
        let others = (1..issuers).map(|number| other_issuer(fixture, number));
        let service = guarded_by(others.chain([fixture.trusted(1)]));
        Contender::service(format!("{issuers} issuers"), service, 200, request(&fixture.valid))
    });
    options.compare("HS256 issuers", 0, with_issuers.into());

    let sizes = [512, 1024, 2048, 4096, 8192, 16384];
    let with_sizes = sizes.map(|bytes| {
        let (issuer, token) = padded(fixture, bytes);
        Contender::service(format!("{bytes} bytes"), guarded(issuer), 200, request(&token))
    });
    options.compare("HS256 token size", 0, with_sizes.into());

    let remembered = sizes.map(|bytes| {
        let (issuer, token) = padded(fixture, bytes);
        let service = remembering(issuer, std::slice::from_ref(&token));
        Contender::service(format!("{bytes} bytes"), service, 200, request(&token))
    });
    options.compare("HS256 token size, remembered", 0, remembered.into());
}

/// Keys that are fetched, beside the same keys at hand.
fn remote_keys(options: &Options, fixture: &Fixture) {
    let cell = |name: &str, unknown| {
        let (verifier, runtime) = remote::verifier(fixture.described(), fixture.jwks(), unknown);
        let service = AuthLayer::new(verifier).layer(Empty);
        let mut request = request(&fixture.valid);
        Contender::service(name, service, 200, move || {
            let _alive = &runtime;
            request()
        })
    };
    let at_hand = guarded(fixture.trusted(1));
    options.compare(
        "RS256 remote keys",
        0,
        vec![
            Contender::service("at hand", at_hand, 200, request(&fixture.valid)),
            cell("fetched", None),
            cell("fetched, refresh under way", Some(fixture.unknown.clone())),
        ],
    );
}

/// A whole accepted request, with and without a list of what is revoked.
fn revocation(options: &Options) {
    let cell = |name: &str, count| {
        let (verifier, token) = revoked::verifier(count);
        Contender::service(name, AuthLayer::new(verifier).layer(Empty), 200, request(&token))
    };
    options.compare(
        "revocation HS256 accepted",
        0,
        vec![
            cell("no list", None),
            cell("empty list", Some(0)),
            cell("1000000 revoked", Some(1_000_000)),
        ],
    );
}

fn other_issuer(fixture: &Fixture, number: usize) -> Issuer {
    let key = tower_bearer::key::VerifyingKey::hmac(fixture.algorithm, &[7; 32]);
    Issuer::new(format!("https://issuer-{number}.test"))
        .audience(fixture::AUDIENCE)
        .algorithms([fixture.algorithm])
        .keys(key.expect("a key"))
}

type Guarded<C> = AuthService<Empty, Verifier<C>, BearerHeader, tower_bearer::auth::EmptyBody>;

fn guarded(issuer: Issuer) -> Guarded<Claims> {
    guarded_by([issuer])
}

fn guarded_by(issuers: impl IntoIterator<Item = Issuer>) -> Guarded<Claims> {
    let builder =
        issuers.into_iter().fold(Verifier::builder(), |builder, issuer| builder.issuer(issuer));
    let verifier = builder.max_token_len(64 * 1024).claims::<Claims>().build();
    AuthLayer::new(verifier.expect("a verifier")).layer(Empty)
}

fn plain(issuer: Issuer) -> Guarded<()> {
    let verifier = Verifier::builder().issuer(issuer).build();
    AuthLayer::new(verifier.expect("a verifier")).layer(Empty)
}

/// A service that has seen a good token, so that its headers are known as they are in real life.
fn warmed(fixture: &Fixture) -> Guarded<Claims> {
    let verifier = verifier(fixture.trusted(1));
    verifier.verify_now(&fixture.valid).expect("the token is good");
    AuthLayer::new(verifier).layer(Empty)
}

fn verifier(issuer: Issuer) -> Verifier<Claims> {
    Verifier::builder().issuer(issuer).claims().build().expect("a verifier")
}

/// A service that has seen these tokens and remembers them.
fn remembering(issuer: Issuer, tokens: &[String]) -> Guarded<Claims> {
    let cache = CacheConfig::new().max_entries(20_000).max_bytes(64 * 1024 * 1024);
    let cache = cache.max_token_len(64 * 1024);
    let verifier = Verifier::builder().issuer(issuer).max_token_len(64 * 1024).cache(cache);
    let verifier = verifier.claims().build().expect("a verifier");
    for token in tokens {
        verifier.verify_now(token).expect("the token is good");
    }
    AuthLayer::new(verifier).layer(Empty)
}
