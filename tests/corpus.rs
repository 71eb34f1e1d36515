//! Replays the fuzz corpus, `fuzz/corpus/<target>/*`, with the code of the fuzz targets.
#![cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

#[path = "../fuzz/targets.rs"]
mod targets;

#[cfg(feature = "issue")]
#[path = "../fuzz/issuing/mod.rs"]
mod issuing;

use std::{fs, path::Path};

#[test]
fn authorization_headers_are_answered_from_the_known_set() {
    replay("authorization_header", targets::authorization_header);
}

#[test]
fn challenges_are_read_as_what_was_meant() {
    replay("challenge", targets::challenge);
}

#[test]
fn a_token_that_nobody_signed_is_never_accepted() {
    replay("compact_jws", targets::compact_jws);
}

#[test]
fn every_key_of_a_document_is_used_or_reported() {
    replay("jwks", targets::jwks);
}

#[test]
fn scopes_are_read_as_what_they_show() {
    replay("scope_parse", targets::scope_parse);
}

#[cfg(feature = "issue")]
#[test]
fn a_form_without_the_secret_and_the_token_is_granted_nothing() {
    replay("form_body", issuing::form_body);
}

#[cfg(feature = "issue")]
#[test]
fn one_line_of_basic_with_the_secret_is_granted_and_nothing_else() {
    replay("basic_header", issuing::basic_header);
}

#[cfg(feature = "issue")]
#[test]
fn a_json_body_without_the_secret_or_the_token_is_granted_nothing() {
    replay("product_body", issuing::product_body);
}

#[cfg(feature = "issue")]
#[test]
fn a_changed_token_does_nothing() {
    replay("refresh_token", issuing::refresh_token);
}

/// Runs a target on every seed of its corpus; the test's output names the one that fails.
#[track_caller]
fn replay(target: &str, run: fn(&[u8]) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let (mut seeds, mut good) = (0, 0);
    for seed in fs::read_dir(&folder).expect("the target has a corpus") {
        let path = seed.expect("the corpus can be listed").path();
        println!("{}", path.display());
        good += u32::from(run(&fs::read(&path).expect("the seed can be read")));
        seeds += 1;
    }
    assert!(good >= 2 && seeds > good, "{target}: of {seeds} seeds {good} get all the way");
}
