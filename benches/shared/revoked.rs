//! Lists of revoked tokens, and grants to look for in them.

use base64_simd::URL_SAFE_NO_PAD;
use tower_bearer::{
    Algorithm, Grant, Issuer, Verifier,
    revocation::{Revocation, Revocations},
    test_util::TestIssuer,
    time::UnixTime,
};

use crate::{
    fixture::{Claims, ISSUER},
    shared::{Contender, Options},
};

/// Grants that are looked for in turns, so that the list does not stay in the cache.
const GRANTS: u64 = 4096;
/// Ids from here on are never revoked.
const GOOD: u64 = 1 << 32;

/// An id as an issuer makes it: 128 bits that look random, in base64url.
fn id(number: u64) -> String {
    let bits = [number, !number].map(|mut bits| {
        // SplitMix64
        bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)).to_be_bytes()
    });
    URL_SAFE_NO_PAD.encode_to_string(bits.concat())
}

/// So many revoked tokens.
fn list(count: u64) -> Revocations {
    let revocations = Revocations::new();
    let until = UnixTime::from_secs(u64::MAX);
    revocations.extend((0..count).map(|number| Revocation::token(id(number), until)));
    revocations
}

/// A look at the list alone; what is found is spread over all of it.
pub(crate) fn lookups(options: &Options) {
    let issuer = TestIssuer::with_algorithm(Algorithm::Hs256);
    let verifier = issuer.verifier_with::<()>();
    let cell = |count: u64, is_hit: bool| {
        let revocations = list(count);
        let step = (count / GRANTS).max(1);
        let grants = (0..GRANTS).map(|at| {
            let number = if is_hit { at * step % count } else { GOOD + at };
            let token = issuer.token().claim("jti", id(number)).sign();
            verifier.verify_now(&token).expect("a good token")
        });
        let grants: Vec<_> = grants.collect();
        let mut at = 0;
        let name = format!("{count} revoked, {}", if is_hit { "hit" } else { "miss" });
        Contender::new(name, move || {
            at = (at + 1) % grants.len();
            let grant: &Grant = &grants[at];
            assert_eq!(std::hint::black_box(&revocations).is_revoked(grant), is_hit);
        })
    };
    let cells = [(0, false), (1000, false), (1000, true), (1_000_000, false), (1_000_000, true)];
    options.compare("revocation lookup", 0, cells.map(|(count, hit)| cell(count, hit)).into());
}

/// Bytes for each id, and what it takes to revoke a million and one more.
pub(crate) fn changes(options: &Options) {
    const GROUP: &str = "revocation changes";
    const COUNT: u64 = 1_000_000;
    let mut kept = None;
    if options.shows(GROUP) {
        let room = allocation_counter::measure(|| kept = Some(list(COUNT)));
        println!(
            "\nrevocation memory\n  {COUNT} ids: {:.2} bytes each, {:.2} at most while they are loaded",
            room.bytes_current as f64 / COUNT as f64,
            room.bytes_max as f64 / COUNT as f64,
        );
    }
    let Some(revocations) = kept else {
        return;
    };
    let until = UnixTime::from_secs(u64::MAX);
    let (more, mut number) = (revocations.clone(), COUNT);
    let one_more = Contender::new(format!("one more than {COUNT}"), move || {
        number += 1;
        more.revoke(&Revocation::token(id(number), until));
    });
    let purge = Contender::new(format!("purge of {COUNT}, none past"), move || {
        assert_eq!(revocations.purge(UnixTime::from_secs(0)), 0);
    });
    options.compare(GROUP, 0, vec![one_more, purge]);
}

/// A verifier whose issuer has this list, and a good token.
pub(crate) fn verifier(count: Option<u64>) -> (Verifier<Claims>, String) {
    let issuer = TestIssuer::named(ISSUER, Algorithm::Hs256);
    let scope = "reports:read reports:write files:read files:write profile";
    let token = issuer.token().scope(scope).claim("jti", id(GOOD)).sign();
    let with_list = |trusted: Issuer| match count {
        Some(count) => trusted.revocations(list(count)),
        None => trusted,
    };
    let verifier = Verifier::builder().issuer(with_list(issuer.trusted())).claims::<Claims>();
    (verifier.build().expect("a verifier"), token)
}
