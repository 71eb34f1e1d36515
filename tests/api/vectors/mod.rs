//! Test vectors of other people (`tests/vectors`, see its README) against every backend that is
//! compiled in.
//!
//! A label that this library does not follow stands in a list of [`Difference`]s with its reason.
//! A difference that is not listed fails, and so does one that is listed and no longer there.
//!
//! Private keys and secrets have no place in a key document, so a JWK with private members and an
//! `oct` key are refused by design: [`key`] strips the private members of a vector's key, and
//! takes a secret through the HMAC constructor.

mod jose;
mod primitives;
mod rfc;

use std::{collections::BTreeSet, fs, ops::RangeInclusive, path::Path};

use serde_json::Value;
use tower_bearer::{Algorithm, Backend, key::VerifyingKey};

/// Cases of a file that are judged unlike their label.
struct Difference {
    file: &'static str,
    cases: &'static [RangeInclusive<u64>],
    /// Accepted or refused, unlike the label.
    accepted: bool,
    reason: &'static str,
}

/// Runs all cases of a Wycheproof file and compares every verdict with its label. `acceptable`
/// leaves the choice, and this library refuses.
#[track_caller]
fn judge<K>(
    file: &str,
    backend: Backend,
    differences: &[Difference],
    key: impl Fn(&Value) -> K,
    accepts: impl Fn(&K, &Value) -> bool,
) {
    let vectors = read(&format!("wycheproof/{file}"));
    let (mut seen, mut found) = (0, BTreeSet::new());
    for group in list(&vectors["testGroups"]) {
        let key = key(group);
        for case in list(&group["tests"]) {
            seen += 1;
            let accepted = accepts(&key, case);
            if accepted != (case["result"] == "valid") {
                found.insert((case["tcId"].as_u64().expect("a number"), accepted));
            }
        }
    }
    assert_eq!(Some(seen), vectors["numberOfTests"].as_u64(), "{file}: all cases are run");
    let listed: Vec<_> = differences.iter().filter(|listed| listed.file == file).collect();
    let expected: BTreeSet<_> = listed
        .iter()
        .flat_map(|listed| {
            let cases = listed.cases.iter().cloned().flatten();
            cases.map(|case| (case, listed.accepted))
        })
        .collect();
    let reasons: Vec<_> = listed.iter().map(|listed| listed.reason).collect();
    let only = |these: &BTreeSet<_>, those| these.difference(those).copied().collect::<Vec<_>>();
    let (unlisted, gone) = (only(&found, &expected), only(&expected, &found));
    assert!(
        unlisted.is_empty() && gone.is_empty(),
        "{file}, {backend:?}: differences (case, accepted) that are not listed {unlisted:?}, listed and gone {gone:?}; listed reasons {reasons:#?}"
    );
}

/// Every backend that is compiled in.
fn backends() -> Vec<Backend> {
    let all = [
        (cfg!(feature = "aws-lc-rs"), Backend::AwsLcRs),
        (cfg!(feature = "rust-crypto"), Backend::RustCrypto),
    ];
    all.into_iter().filter_map(|(compiled, backend)| compiled.then_some(backend)).collect()
}

/// The verifying half of a vector's key, if this library takes it.
fn key(jwk: &Value) -> Option<VerifyingKey> {
    if jwk["kty"] == "oct" {
        let algorithm: Algorithm = jwk["alg"].as_str()?.parse().ok()?;
        let key = VerifyingKey::hmac(algorithm, &base64url(&jwk["k"])).ok()?;
        return match jwk["kid"].as_str() {
            Some(id) => key.with_id(id).ok(),
            None => Some(key),
        };
    }
    let mut jwk = jwk.clone();
    for private in ["d", "p", "q", "dp", "dq", "qi"] {
        jwk.as_object_mut()?.remove(private);
    }
    VerifyingKey::from_jwk(&jwk.to_string()).ok()
}

fn read(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    let text = fs::read_to_string(&path).expect("the file of vectors is there");
    serde_json::from_str(&text).expect("the file of vectors is JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("an array")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

/// The one entry of a file of the `rfc` folder with this id.
fn entry(file: &str, id: &str) -> Value {
    let entries = read(file);
    let found = list(&entries).iter().find(|entry| entry["id"] == id);
    found.unwrap_or_else(|| panic!("{file} has {id}")).clone()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = text(value);
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(byte).collect()
}

/// Base64url as vectors write it; not the library's own reading.
fn base64url(value: &Value) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bytes, mut bits, mut len) = (Vec::new(), 0_usize, 0);
    for character in text(value).chars() {
        bits = bits << 6 | ALPHABET.find(character).expect("base64url");
        len += 6;
        if len >= 8 {
            len -= 8;
            bytes.push(u8::try_from(bits >> len & 0xff).expect("eight bits"));
            bits &= (1 << len) - 1;
        }
    }
    bytes
}
