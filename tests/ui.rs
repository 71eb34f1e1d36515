//! What must not compile, and the messages that say why: `tests/ui/*.rs`, each with its
//! `.stderr`.
//!
//! The file that must compile makes the others go through code generation as well, where an empty
//! requirement is found.
//!
//! Messages differ between versions of the compiler, with the features, and with the component
//! `rust-src`, whose sources are quoted. So they are compared only where they were written: with
//! Rust 1.95 without `rust-src`, and all features. That forgery and bad scopes do not compile is
//! shown for every compiler by the examples in the documentation that must fail.
#![cfg(all(feature = "aws-lc-rs", feature = "rust-crypto", feature = "tracing"))]
#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

use std::{path::Path, process::Command};

/// R-JWS-36: nothing but a verifier makes what stands for a verified token. R-SCOPE-09, R-SCOPE-10:
/// a scope with other characters and an empty requirement are found by the compiler.
#[test]
fn misuse_does_not_compile() {
    let sysroot = rustc(&["--print", "sysroot"]);
    let has_sources = Path::new(sysroot.trim()).join("lib/rustlib/src").exists();
    if has_sources || !rustc(&["--version"]).starts_with("rustc 1.95.") {
        println!("not compared: this is not Rust 1.95 without rust-src");
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/*.rs");
}

fn rustc(arguments: &[&str]) -> String {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler).args(arguments).output().expect("rustc runs");
    String::from_utf8(output.stdout).expect("rustc writes UTF-8")
}
