//! Shows on made-up sources that the checker finds what it is there to find.

use super::{MAX_LINES, Source, Violation, check};

/// The violations of a made-up crate, one line each.
fn found(sources: &[(&str, &str)]) -> Vec<String> {
    found_with(sources, &[])
}

fn found_with(sources: &[(&str, &str)], long_files: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<_> = sources
        .iter()
        .map(|(path, text)| Source { path: (*path).to_owned(), text: (*text).to_owned() })
        .collect();
    check(&sources, long_files).iter().map(Violation::to_string).collect()
}

/// Asserts that the source is refused at exactly this line, for using that module of a higher row.
#[track_caller]
fn assert_upward(path: &str, text: &str, line: usize, target: &str) {
    let violations = found(&[(path, text)]);
    assert_eq!(violations.len(), 1, "{violations:#?}");
    assert!(violations[0].starts_with(&format!("src/{path}:{line}: ")), "{}", violations[0]);
    assert!(violations[0].contains(&format!("uses `{target}` (row")), "{}", violations[0]);
}

#[test]
fn finds_a_use_of_a_higher_row() {
    assert_eq!(
        found(&[("scope/token.rs", "//! Docs.\n\nuse crate::verifier::Verifier;\n")]),
        [
            "src/scope/token.rs:3: `scope` (row 0) uses `verifier` (row 3): a file may use its own row and the rows below"
        ]
    );
}

#[test]
fn finds_every_form_of_a_use() {
    assert_upward("jws/mod.rs", "pub use crate::token::FindToken;", 1, "token");
    assert_upward("jws/mod.rs", "pub(crate) use crate::token::FindToken as Find;", 1, "token");
    assert_upward("jws/mod.rs", "use crate::token;", 1, "token");
    assert_upward("jws/mod.rs", "use crate::token::*;", 1, "token");
    assert_upward("jws/mod.rs", "use crate::{error::AuthError, token::FindToken};", 1, "token");
    assert_upward("jws/mod.rs", "use {crate::token::FindToken, std::fmt};", 1, "token");
    assert_upward("jws/mod.rs", "fn f() {\n    use crate::auth::AuthLayer;\n}", 2, "auth");
    assert_upward(
        "jws/mod.rs",
        "use crate::{\n    error::{AuthError, AuthErrorKind},\n    key::{\n        self,\n    },\n    verifier::{self, Verified},\n    time,\n};",
        6,
        "verifier",
    );
}

#[test]
fn finds_paths_in_the_code() {
    assert_upward("jws/mod.rs", "fn f() -> crate::token::PresentedToken { todo!() }", 1, "token");
    assert_upward("jws/mod.rs", "type A = Vec<crate::token::PresentedToken>;", 1, "token");
    assert_upward(
        "scope/macros.rs",
        "macro_rules! m { () => { $crate::extract::Scoped } }",
        1,
        "extract",
    );
    assert_upward(
        "scope/macros.rs",
        "macro_rules! m { () => { use $crate::extract::Scoped; } }",
        1,
        "extract",
    );
    assert_upward("token/mod.rs", "impl crate::auth::RefusalResponse for () {}", 1, "auth");
    assert_upward("token/mod.rs", "fn f() {\n    crate::event::emit!(1);\n}", 2, "event");
}

#[test]
fn finds_paths_through_super_and_self() {
    assert_upward("time.rs", "use super::verifier::Verifier;", 1, "verifier");
    assert_upward("jws/header.rs", "use super::super::token::FindToken;", 1, "token");
    assert_upward(
        "jws/header.rs",
        "mod tests {\n    use super::super::super::token::FindToken;\n}",
        2,
        "token",
    );
    assert_upward("issue/mod.rs", "pub use self::endpoints::Endpoints;", 1, "issue::endpoints");
    let below = "use super::Jws;\nmod tests {\n    use super::*;\n    use super::super::Jws;\n}\nuse super::verify::check;";
    assert_eq!(found(&[("jws/header.rs", below)]), [""; 0]);
}

#[test]
fn reads_no_comments_strings_or_characters() {
    let text = r####"
        //! See [`crate::verifier::Verifier`].
        // use crate::verifier::Verifier;
        /* use crate::verifier::Verifier; /* nested */ use crate::verifier::Verifier; */
        /// ```
        /// use crate::verifier::Verifier;
        /// ```
        const A: &str = "use crate::verifier::Verifier; \" use crate::verifier::Verifier;";
        const B: &str = r#"" use crate::verifier::Verifier;"#;
        const C: &[u8] = br"\" ; const D: &[u8] = b"crate::verifier::Verifier";
        const E: [char; 3] = ['"', '\'', '\u{22}'];
        fn f<'a>(x: &'a str) -> impl Sized + use<'a> { (b'"', x != "crate::verifier::Verifier") }
    "####;
    assert_eq!(found(&[("error.rs", text)]), [""; 0]);
    assert_upward("error.rs", &format!("{text}\nuse crate::verifier::Verifier;"), 14, "verifier");
}

#[test]
fn allows_lower_rows_and_a_row_without_a_circle() {
    let sources = [
        ("lib.rs", "pub mod verifier; pub use crate::verifier::Verifier; pub use verifier::Grant;"),
        ("error.rs", "use crate::scope::ScopeSet; use std::time::SystemTime;"),
        (
            "policy/check.rs",
            "use crate::{claims::Claims, jws::Header, key::KeyId, time::UnixTime};",
        ),
        ("key/mod.rs", "use crate::jws::Algorithm;"),
        ("key/set.rs", "use crate::key::KeyId; use super::jwk::Jwk;"),
        ("issue/endpoints/mod.rs", "use crate::issue::Application; use http::Request;"),
        (
            "auth/service.rs",
            "use crate::verifier::Verified; use http::{Request, Response}; use tower_service::Service;",
        ),
    ];
    assert_eq!(found(&sources), [""; 0]);
}

#[test]
fn allows_the_macros_at_the_root() {
    let text = "use crate::{scope, scopes};\nconst A: ScopeToken = crate::scope!(\"a\");\ncrate::private_helper!();";
    assert_eq!(found(&[("verifier/mod.rs", text)]), [""; 0]);
    assert_eq!(found(&[("verifier/mod.rs", "fn f() -> bool { crate::LIMIT != 3 }")]).len(), 1);
}

#[test]
fn finds_a_way_around_through_the_root() {
    assert_eq!(
        found(&[("lib.rs", "pub use verifier::Verifier;"), ("time.rs", "use crate::Verifier;")]),
        ["src/time.rs:1: `crate::Verifier` goes by way of the crate's root: name the module"]
    );
    assert_eq!(found(&[("time.rs", "use super::*;")]).len(), 1);
    assert_eq!(found(&[("time.rs", "use crate::{self as all};")]).len(), 1);
}

#[test]
fn finds_a_circle_of_two() {
    assert_eq!(
        found(&[
            ("jws/verify.rs", "\nuse crate::key::VerifyingKey;"),
            ("key/mod.rs", "use crate::jws::Algorithm;"),
        ]),
        ["src/jws/verify.rs:2: modules of one row use each other in a circle: \
          `jws` -> `key` (src/jws/verify.rs:2) -> `jws` (src/key/mod.rs:1)"]
    );
}

#[test]
fn finds_a_circle_of_three_once() {
    let violations = found(&[
        ("event/mod.rs", "use crate::verifier::Grant;"),
        ("verifier/mod.rs", "use crate::cache::Cache;"),
        ("cache.rs", "use crate::event::OnEvent;"),
        ("authenticate.rs", "use crate::verifier::Verified;"),
    ]);
    assert_eq!(violations.len(), 1, "{violations:#?}");
    assert!(
        violations[0].contains("`cache` -> `event` (src/cache.rs:1) -> `verifier`"),
        "{}",
        violations[0]
    );
}

#[test]
fn finds_the_web_below_row_three() {
    for text in [
        "use http::HeaderMap;",
        "use tower_service::Service;",
        "use ::tokio::sync::Mutex;",
        "use {axum_core::response::Response, std::fmt};",
        "fn f() -> http::StatusCode { todo!() }",
        "fn f() -> ::http::StatusCode { todo!() }",
        "impl ::http::Body for X {}",
        "use http;",
    ] {
        let violations = found(&[("policy/check.rs", text)]);
        assert_eq!(violations.len(), 1, "{text}: {violations:#?}");
        assert!(
            violations[0].contains("rows below 3 know nothing of the web"),
            "{}",
            violations[0]
        );
    }
    let own =
        "use crate::jws::http::X; fn f() { x.http::<u8>(); <T as A>::http::y(); let http = 1; }";
    assert_eq!(found(&[("policy/check.rs", own)]), [""; 0]);
    assert_eq!(found(&[("token/mod.rs", "use http::HeaderMap;")]), [""; 0]);
    assert_eq!(
        found(&[("token/mod.rs", "use tower::Service;")]),
        ["src/token/mod.rs:1: `token` (row 2) names `tower`: rows below 3 know only `http`"]
    );
}

#[test]
fn finds_a_backend_outside_its_module() {
    for text in
        ["use aws_lc_rs::hmac;", "fn f(key: rsa::RsaPublicKey) {}", "use jsonwebtoken::jwk::Jwk;"]
    {
        assert_eq!(found(&[("jws/verify.rs", text)]).len(), 1, "{text}");
        assert_eq!(found(&[("lib.rs", text)]).len(), 1, "{text}");
        assert_eq!(found(&[("crypto/backend.rs", text)]), [""; 0], "{text}");
    }
    assert_eq!(
        found(&[
            ("key/jwk.rs", "use p256::ecdsa::VerifyingKey;"),
            ("jws/sign.rs", "use jsonwebtoken::Header;")
        ]),
        [
            "src/jws/sign.rs:1: names `jsonwebtoken`: only crypto/ may",
            "src/key/jwk.rs:1: names `p256`: only crypto/ may",
        ]
    );
}

#[test]
fn finds_the_system_clock_outside_time() {
    for text in [
        "fn f() { std::time::SystemTime::now(); }",
        "use std::time::SystemTime;\nfn f() { g(SystemTime::now) }",
    ] {
        assert_eq!(found(&[("time.rs", text)]), [""; 0]);
        let violations = found(&[("verifier/mod.rs", text)]);
        assert_eq!(violations.len(), 1, "{violations:#?}");
        assert!(violations[0].contains("`SystemTime::now` outside time.rs"), "{}", violations[0]);
    }
}

#[test]
fn finds_a_long_file_and_a_stale_entry() {
    let long = "\n".repeat(MAX_LINES + 1);
    let listed = [("claims/mod.rs", "one table")];
    assert_eq!(
        found(&[("claims/mod.rs", &long)]),
        [
            "src/claims/mod.rs:401: 401 lines, more than 400: split it, or list it in `LONG_FILES` with the reason"
        ]
    );
    assert_eq!(found_with(&[("claims/mod.rs", &long)], &listed), [""; 0]);
    assert_eq!(found(&[("claims/mod.rs", &long[1..])]), [""; 0]);
    assert_eq!(
        found_with(&[("claims/mod.rs", &long[1..])], &listed),
        ["src/claims/mod.rs:400: 400 lines, not more than 400: strike it off `LONG_FILES`"]
    );
    assert_eq!(
        found_with(&[("error.rs", "")], &listed),
        ["src/claims/mod.rs:1: in `LONG_FILES` (one table), but there is no such file"]
    );
}

#[test]
fn finds_a_module_without_a_row_once() {
    assert_eq!(
        found(&[
            ("helpers/mod.rs", "use crate::error::AuthError;"),
            ("helpers/text.rs", ""),
            ("time.rs", "use crate::helpers::text;"),
        ]),
        [
            "src/helpers/mod.rs:1: module `helpers` is in no row: put it into `ROWS` of tests/layering.rs"
        ]
    );
}
