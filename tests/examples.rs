//! The examples as a person runs them: the programs that cargo built, over loopback.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "examples/run.rs"]
mod run;

use std::{fs, io::BufRead, net::TcpListener, process::Command};

use jsonwebtoken::{EncodingKey, crypto::aws_lc};
use serde_json::{Value, json};
use tower_bearer::{
    Algorithm,
    test_util::{FrozenClock, TestIssuer, TokenBuilder},
};

use self::run::{Server, example, file};

/// The frozen time, in seconds since 1970.
const NOW: u64 = 1_800_000_000;
const AT: &str = "1800000000";

const C1: &str = r#"Bearer realm="api""#;
const C3: &str =
    r#"Bearer realm="api", error="invalid_token", error_description="The access token is invalid""#;
const C3X: &str =
    r#"Bearer realm="api", error="invalid_token", error_description="The access token expired""#;
const C5: &str = r#"Bearer realm="api", error="invalid_request", error_description="Multiple methods used to include access token""#;

fn c4(scope: &str) -> String {
    format!(
        r#"Bearer realm="api", error="insufficient_scope", error_description="The request requires higher privileges than provided by the access token", scope="{scope}""#
    )
}

fn issuer() -> TestIssuer {
    TestIssuer::new().with_clock(FrozenClock::at(NOW))
}

/// A guard for one issuer with the usual settings; `name` is that of the test.
fn guard(name: &str, issuer: &TestIssuer, more: &[&str]) -> Server {
    let jwks = file(&format!("{name}.json"), issuer.jwks());
    let algorithm = issuer.algorithm().name();
    let mut arguments = vec!["--at", AT, "--listen", "127.0.0.1:0", "--issuer", issuer.name()];
    arguments.extend(["--audience", issuer.audience(), "--algorithms", algorithm, "--jwks", &jwks]);
    arguments.extend(more);
    Server::start("guard", &arguments)
}

/// A token under a secret that is known, signed by another library.
fn hmac_token(algorithm: &str, kid: Option<&str>, secret: &[u8], claims: &Value) -> String {
    let mut header = json!({"alg": algorithm, "typ": "at+jwt"});
    if let Some(kid) = kid {
        header["kid"] = kid.into();
    }
    let encode = |bytes: &[u8]| base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes);
    let input = [header.to_string(), claims.to_string()].map(|part| encode(part.as_bytes()));
    let (input, key) = (input.join("."), EncodingKey::from_secret(secret));
    let algorithm = algorithm.parse().unwrap();
    let signer = (aws_lc::DEFAULT_PROVIDER.signer_factory)(&algorithm, &key).unwrap();
    format!("{input}.{}", encode(&signer.sign(input.as_bytes())))
}

fn claims() -> Value {
    json!({
        "iss": "https://issuer.test", "aud": "https://api.test", "sub": "alice", "client_id": "app",
        "iat": NOW, "exp": NOW + 600, "jti": "1",
    })
}

#[test]
fn an_accepted_request_is_answered_with_the_payload_and_the_sorted_scopes() {
    let issuer = issuer();
    let guard = guard("accepted", &issuer, &["--route", "GET /me="]);
    let token = issuer.token().scope("b a b C").claim("tenant", json!({"id": 7, "name": "ä"}));
    let answer = guard.get("/me", &token.sign());
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.values("content-type"), ["application/json"]);
    let payload = json!({
        "iss": "https://issuer.test", "aud": "https://api.test", "sub": "user-1",
        "client_id": "client-1", "iat": NOW, "exp": NOW + 600, "jti": "token-1",
        "scope": "b a b C", "tenant": {"id": 7, "name": "ä"},
    });
    assert_eq!(answer.json(), json!({"claims": payload, "scopes": ["C", "a", "b"]}));

    let without_scopes = guard.get("/me", &issuer.token().sign());
    assert_eq!(without_scopes.json()["scopes"], json!([]));
}

/// Claims that nobody needs are none of the service's business, however odd they are.
#[test]
fn the_payload_is_passed_on_unread() {
    let issuer = issuer();
    let guard = guard("unread", &issuer, &["--route", "GET /me="]);
    let odd = [r#""n":123456789012345678901234567890"#, r#""x":1e999"#, r#""a":{"b": [ ]}"#];
    let claims = claims().to_string().replacen('{', &format!("{{{},", odd.join(",")), 1);
    let header = r#"{"alg":"ES256","typ":"at+jwt","kid":"test-key"}"#;
    let answer = guard.get("/me", &issuer.sign_raw(header, &claims));
    assert_eq!(answer.status(), 200);
    for claim in odd {
        assert!(answer.body.contains(claim), "{claim}");
    }
    let repeated = claims.replacen('{', r#"{"r":{"b":1,"b":2},"#, 1);
    guard.get("/me", &issuer.sign_raw(header, &repeated)).assert_refused(401, C3);
}

/// R-CHAL-15
#[test]
fn refusals_have_the_exact_challenge_on_the_wire() {
    let issuer = issuer();
    let guard = guard("refused", &issuer, &["--route", "GET /reports=reports:read"]);
    let reader = issuer.token().scope("reports:read");
    let get = |token: TokenBuilder| guard.get("/reports", &token.sign());
    assert_eq!(get(reader.clone()).status(), 200);

    guard.send("GET", "/reports", "").assert_refused(401, C1);
    guard.send("HEAD", "/reports", "").assert_refused(401, C1);
    let lines = format!("Authorization: Bearer {}\r\n", reader.sign()).repeat(2);
    guard.send("GET", "/reports", &lines).assert_refused(400, C5);
    get(reader.clone().tampered()).assert_refused(401, C3);
    get(reader.clone().wrong_audience()).assert_refused(401, C3);
    get(reader.clone().unsigned()).assert_refused(401, C3);
    get(reader.clone().expired()).assert_refused(401, C3X);
    get(issuer.token().scope("reports")).assert_refused(403, &c4("reports:read"));
}

#[test]
fn spaces_mean_all_bars_mean_any_and_nothing_means_any_verified_token() {
    let issuer = issuer();
    let routes = ["--route", "GET /all=a b", "--route", "GET /any=a b | c", "--route", "PUT /any="];
    let guard = guard("routes", &issuer, &routes);
    let token = |scope: &str| issuer.token().scope(scope).sign();
    let put =
        |token: &str| guard.send("PUT", "/any", &format!("Authorization: Bearer {token}\r\n"));

    assert_eq!(guard.get("/all", &token("b a")).status(), 200);
    guard.get("/all", &token("b c")).assert_refused(403, &c4("a b"));
    assert_eq!(guard.get("/any", &token("a b")).status(), 200);
    assert_eq!(guard.get("/any", &token("c")).status(), 200);
    guard.get("/any", &token("b")).assert_refused(403, &c4("a b"));
    assert_eq!(put(&issuer.token().sign()).status(), 200);
    guard.send("PUT", "/any", "").assert_refused(401, C1);
}

#[test]
fn a_path_is_taken_literally_and_nothing_else_is_served() {
    let issuer = issuer();
    let routes = ["--route", "GET /{id}=", "--route", "GET /:id=", "--route", "GET /*all="];
    let guard = guard("paths", &issuer, &routes);
    let token = issuer.token().sign();
    for (path, status) in [
        ("/{id}", 200),
        ("/:id", 200),
        ("/*all", 200),
        ("/:id?x=1", 200),
        ("/7", 404),
        ("/", 404),
        ("/:id/", 404),
        ("/:ID", 404),
    ] {
        assert_eq!(guard.get(path, &token).status(), status, "{path}");
    }
    let post = guard.send("POST", "/:id", &format!("Authorization: Bearer {token}\r\n"));
    assert_eq!(post.status(), 405);
    guard.send("GET", "/7", "").assert_refused(401, C1);
}

#[test]
fn each_issuer_has_its_own_keys_audiences_type_and_algorithms() {
    let (first, second) = (issuer(), TestIssuer::named("https://second.test", Algorithm::EdDsa));
    let second = second.with_clock(FrozenClock::at(NOW));
    let jwks = file("issuers-2.json", second.jwks());
    let guard = guard(
        "issuers-1",
        &first,
        &[
            "--audience",
            "urn:api",
            "--route",
            "GET /=",
            "--issuer",
            second.name(),
            "--audience",
            "urn:second",
            "--algorithms",
            "ES256,EdDSA",
            "--token-type",
            "any",
            "--jwks",
            &jwks,
        ],
    );
    let get = |token: TokenBuilder| guard.get("/", &token.sign()).status();

    assert_eq!(get(first.token()), 200);
    assert_eq!(get(first.token().claim("aud", "urn:api")), 200);
    assert_eq!(get(first.token().claim("aud", "urn:second")), 401);
    assert_eq!(get(first.token().header("typ", "JWT")), 401);
    assert_eq!(get(first.token().without_claim("sub")), 401);
    assert_eq!(get(first.token().claim("iss", second.name()).claim("aud", "urn:second")), 401);

    let of_second = second.token().claim("aud", "urn:second");
    assert_eq!(get(of_second.clone()), 200);
    assert_eq!(get(of_second.clone().without_header("typ").without_claim("sub")), 200);
    assert_eq!(get(of_second.clone().without_claim("exp")), 401);
    assert_eq!(get(second.token()), 401);
    assert_eq!(get(of_second.claim("iss", first.name()).claim("aud", "urn:api")), 401);
}

#[test]
fn a_secret_file_serves_every_listed_hmac_algorithm_with_its_raw_bytes() {
    // A line end and bytes that are no text belong to the secret.
    let secret: Vec<u8> = (0..47).map(|byte| byte ^ 0xF5).chain(*b"\n").collect();
    let path = file("secret.bin", &secret);
    let issuer = ["--issuer", "https://issuer.test", "--audience", "https://api.test"];
    let start = |more: &[&str]| {
        let fixed = ["--route", "GET /=", "--listen", "127.0.0.1:0", "--at", AT];
        let settings = ["--algorithms", "HS384,HS256,HS256", "--secret-file", &path];
        Server::start("guard", &[&issuer, &fixed[..], &settings, more].concat())
    };

    let guard = start(&[]);
    let get = |algorithm, kid| guard.get("/", &hmac_token(algorithm, kid, &secret, &claims()));
    assert_eq!(get("HS256", None).status(), 200);
    assert_eq!(get("HS384", None).status(), 200);
    get("HS512", None).assert_refused(401, C3);
    get("HS256", Some("k1")).assert_refused(401, C3);
    let trimmed = hmac_token("HS256", None, &secret[..47], &claims());
    guard.get("/", &trimmed).assert_refused(401, C3);

    let named = start(&["--secret-kid", "k1"]);
    let get = |kid| named.get("/", &hmac_token("HS256", kid, &secret, &claims()));
    assert_eq!(get(Some("k1")).status(), 200);
    get(Some("k2")).assert_refused(401, C3);
}

#[test]
fn time_stands_still_at_the_given_second_and_leeway_is_a_minute_unless_given() {
    let issuer = issuer();
    for (leeway, seconds) in [(None, 60), (Some("0"), 0), (Some("300"), 300)] {
        let mut more = vec!["--route", "GET /="];
        more.extend(leeway.iter().flat_map(|leeway| ["--leeway", leeway]));
        let guard = guard(&format!("leeway-{seconds}"), &issuer, &more);
        let get = |exp: u64| guard.get("/", &issuer.token().claim("exp", exp).sign());
        assert_eq!(get(NOW - seconds + 1).status(), 200, "{leeway:?}");
        get(NOW - seconds).assert_refused(401, C3X);
        let ahead = |iat: u64| guard.get("/", &issuer.token().claim("iat", iat).sign()).status();
        assert_eq!((ahead(NOW + seconds), ahead(NOW + seconds + 1)), (200, 401), "{leeway:?}");
    }
}

#[test]
fn both_backends_and_a_realm_can_be_chosen() {
    let issuer = issuer();
    for backend in ["aws-lc-rs", "rust-crypto"] {
        let more = ["--backend", backend, "--realm", r#"the "api""#, "--route", "GET /="];
        let guard = guard(&format!("backend-{backend}"), &issuer, &more);
        assert_eq!(guard.get("/", &issuer.token().sign()).status(), 200, "{backend}");
        assert_eq!(guard.get("/", &issuer.token().foreign_key().sign()).status(), 401, "{backend}");
        guard.send("GET", "/", "").assert_refused(401, r#"Bearer realm="the \"api\"""#);
    }
}

#[test]
fn a_mistake_on_the_command_line_names_the_option_and_the_remedy() {
    let good = issuer();
    let files = [
        ("$ES", file("mistake-es.json", good.jwks())),
        ("$EMPTY", file("mistake-empty.json", r#"{"keys":[]}"#)),
        ("$TEXT", file("mistake-text.json", "hello")),
        ("$SECRET", file("mistake-secret.bin", [7; 40])),
    ];
    let es = "--issuer i --audience a --algorithms ES256 --jwks $ES";
    let hs = "--issuer i --audience a --secret-file $SECRET";
    let all = format!("{es} --route GET~/=");
    for (arguments, message) in [
        ("", "--issuer is missing: name whose tokens open the routes"),
        (es, "--route is missing: for example --route 'GET /=' for any token"),
        ("--audience a --issuer i", "--audience belongs to an issuer: put --issuer URL before it"),
        ("--leeway 5", "--leeway belongs to an issuer: put --issuer URL before it"),
        ("--isuer i", r#"unknown option "--isuer": see --help"#),
        ("keys.json", r#"unknown option "keys.json": see --help"#),
        ("--issuer", "--issuer needs a value: --issuer URL"),
        ("--realm --listen", "--realm needs a value: --realm TEXT"),
        ("--realm a --realm b", "--realm is given twice: keep one"),
        (&format!("{all} --jwks $ES"), "--jwks is given twice: keep one"),
        ("--at soon", r#"--at "soon": write --at UNIX_SECONDS"#),
        ("--at -1", r#"--at "-1": write --at UNIX_SECONDS"#),
        ("--listen 8080", r#"--listen "8080": write --listen ADDR:PORT"#),
        ("--backend openssl", r#"--backend "openssl": write --backend aws-lc-rs|rust-crypto"#),
        ("--issuer i --token-type jwt", r#"--token-type "jwt": write --token-type at+jwt|any"#),
        ("--issuer i --leeway 1m", r#"--leeway "1m": write --leeway SECONDS"#),
        (
            "--issuer i --algorithms ES256,none",
            r#"--algorithms: unknown algorithm "none": use a name of RFC 7518 or RFC 9864 such as ES256; `none` is never accepted"#,
        ),
        (
            "--route GET",
            r#"--route "GET": there is no `=`; write --route 'GET /reports=reports:read'"#,
        ),
        (
            "--route /=",
            r#"--route "/=": there is no space after the method; write --route 'GET /reports=reports:read'"#,
        ),
        (
            "--route FETCH~/=",
            r#"--route "FETCH /=": the method is not one that can be routed; write --route 'GET /reports=reports:read'"#,
        ),
        (
            "--route GET~reports=",
            r#"--route "GET reports=": the path must begin with `/` and have no query; write --route 'GET /reports=reports:read'"#,
        ),
        (
            "--route GET~/?a=",
            r#"--route "GET /?a=": the path must begin with `/` and have no query; write --route 'GET /reports=reports:read'"#,
        ),
        (
            "--route GET~/=a|",
            r#"--route "GET /=a|": an alternative has no scope; write --route 'GET /reports=reports:read'"#,
        ),
        (
            r#"--route GET~/=a"b"#,
            r#"--route "GET /=a\"b": "a\"b" is no scope token: one or more printable ASCII characters without space, `"` and `\`; write --route 'GET /reports=reports:read'"#,
        ),
        (
            "--route GET~/=a --route GET~/=b",
            r#"--route "GET /=b": method and path stand in an earlier route; join the two with `|`"#,
        ),
        (
            "--issuer i --audience a --jwks $ES --route GET~/=",
            "--issuer i: --algorithms is missing: list what it signs with, such as RS256,ES256",
        ),
        (
            "--issuer i --algorithms ES256 --jwks $ES --route GET~/=",
            "--issuer i: --audience is missing: name this service as its tokens do",
        ),
        (
            "--issuer i --audience a --algorithms ES256 --route GET~/=",
            "--issuer i: --jwks or --secret-file is missing: give it keys by one of them",
        ),
        (
            &format!("{all} --secret-file $SECRET"),
            "--issuer i: --jwks and --secret-file exclude each other; keep one",
        ),
        (
            &format!("{all} --secret-kid k"),
            "--secret-kid belongs to --secret-file: a JWKS document has its own",
        ),
        (
            &format!("{hs} --algorithms HS256,HS384 --route GET~/="),
            "--secret-file $SECRET for HS384: the key cannot be used: an HS384 key must have at least 48 random bytes; change --algorithms or the file",
        ),
        (
            &format!("{hs} --algorithms HS256,ES256 --route GET~/="),
            "--secret-file $SECRET for ES256: the key cannot be used: a secret fits HS256, HS384 and HS512 only; change --algorithms or the file",
        ),
        (
            "--discover http://i.test --audience a --algorithms ES256 --route GET~/=",
            r#"--discover: issuer "http://i.test": discovery needs an absolute https URL without query and fragment; else name the keys with `RemoteKeys::new(jwks_uri)`"#,
        ),
        (
            "--issuer i --jwks-uri http://i.test/jwks --audience a --algorithms ES256 --route GET~/=",
            r#"--jwks-uri: jwks_uri "http://i.test/jwks": use an absolute https URL without user and fragment"#,
        ),
        (
            "--discover https://i.test --jwks $ES --audience a --algorithms ES256 --route GET~/=",
            "--issuer https://i.test: keys that are fetched exclude others",
        ),
        (
            "--discover https://i.test --jwks-uri https://i.test/jwks --audience a --algorithms ES256",
            "--jwks-uri is given twice: keep one",
        ),
        (
            "--issuer i --audience a --algorithms ES256 --jwks /none --route GET~/=",
            "--jwks /none: No such file or directory (os error 2); name a file that can be read",
        ),
        (
            "--issuer i --audience a --algorithms ES256 --jwks $TEXT --route GET~/=",
            "--jwks $TEXT: the key cannot be used: the key document is no JSON object with an array `keys`",
        ),
        (
            "--issuer i --audience a --algorithms ES256 --jwks $EMPTY --route GET~/=",
            r#"--jwks: issuer "i": no usable key: there is no key; compare kty, crv, alg and use of the keys with `.algorithms([..])` and the backend"#,
        ),
        (
            "--issuer i --audience a --algorithms RS256 --jwks $ES --route GET~/=",
            r#"--jwks: issuer "i": no usable key: keys for other algorithms: 1; compare kty, crv, alg and use of the keys with `.algorithms([..])` and the backend"#,
        ),
        (
            "--issuer i --audience a --algorithms ES256,HS256 --jwks $ES --route GET~/=",
            r#"--algorithms: issuer "i" mixes HMAC with public-key algorithms: an issuer uses one of the two"#,
        ),
        (
            &format!("{all} --leeway 301"),
            r#"--leeway: issuer "i": a leeway of 301 s is more than the 300 s that clock differences can justify"#,
        ),
        (
            &format!("{all} {es}"),
            r#"--issuer: issuer "i" is configured twice: merge the two, as keys and policy belong to one issuer"#,
        ),
        (
            &format!("{all} --realm ü"),
            r#"--realm: realm "ü": use one or more printable ASCII characters"#,
        ),
    ] {
        let filled = |text: &str| {
            files.iter().fold(text.to_owned(), |text, (name, path)| text.replace(name, path))
        };
        // A tilde stands for a space inside an argument.
        let arguments = arguments.split(' ').filter(|argument| !argument.is_empty());
        let arguments = arguments.map(|argument| filled(argument).replace('~', " "));
        let output = example("guard").args(arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let last = stderr.lines().last().unwrap_or_default();
        assert_eq!(last, format!("guard: {}", filled(message)));
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(output.stdout.is_empty(), "{message}");
    }
}

#[test]
fn an_address_that_is_taken_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let jwks = file("taken.json", issuer().jwks());
    let mut command = example("guard");
    command.args(["--issuer", "i", "--audience", "a", "--algorithms", "ES256", "--jwks", &jwks]);
    let output = command.args(["--route", "GET /=", "--listen", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with(&format!("guard: --listen {address}: ")), "{stderr}");
    assert!(stderr.ends_with("; choose another port, or 0 for a free one\n"), "{stderr}");
}

#[test]
fn help_lists_every_option() {
    let output = example("guard").arg("--help").output().unwrap();
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    for option in [
        "--issuer URL",
        "--audience TEXT",
        "--jwks FILE",
        "--secret-file FILE",
        "--secret-kid KID",
        "--algorithms A,B",
        "--token-type at+jwt|any",
        "--leeway SECONDS",
        "--realm TEXT",
        "--backend aws-lc-rs|rust-crypto",
        "--at UNIX_SECONDS",
        "--listen ADDR:PORT",
        "--route 'METHOD /path=scopes'",
        "127.0.0.1:8080",
    ] {
        assert!(help.contains(option), "{option}");
    }
}

#[test]
fn the_printed_commands_get_the_answers_that_they_promise() {
    for (name, commands) in [("quickstart", 7), ("hyper_only", 3)] {
        let mut server = Server::start(name, &["0"]);
        let mut seen = Vec::new();
        while seen.len() < commands {
            let mut line = String::new();
            assert_ne!(server.stdout.read_line(&mut line).unwrap(), 0, "{name} ended: {seen:?}");
            let Some(outcome) = line.strip_prefix("# ") else {
                continue;
            };
            let mut command = String::new();
            server.stdout.read_line(&mut command).unwrap();
            let url = format!("curl -i http://{}", server.address);
            let command = command.trim_end().strip_prefix(&url).unwrap();
            let (path, header) = command.split_once(" -H '").unwrap_or((command, ""));
            let header = header.strip_suffix('\'').map(|line| format!("{line}\r\n"));
            let answer = server.send("GET", path, &header.unwrap_or_default());
            let outcome = outcome.trim_end();
            assert!(outcome.starts_with(&format!("{} ", answer.status())), "{name}: {outcome}");
            seen.push(outcome.to_owned());
        }
        for outcome in ["200 accepted", "401 missing", "403 scope missing"] {
            assert!(seen.iter().any(|seen| seen == outcome), "{name}: {seen:?}");
        }
    }
}

#[test]
fn quickstart_fits_on_a_page() {
    assert!(include_str!("../examples/quickstart.rs").lines().count() <= 60);
}

#[test]
fn the_examples_without_a_server_print_what_they_show_and_end() {
    for (name, shown) in [
        ("scopes", &["  /publish    403, needs \"docs:read docs:write\"", "  /shelf/7    200"][..]),
        (
            "optional",
            &[
                "/         anonymous       200 welcome, whoever you are",
                "/         alice           200 welcome back, alice",
                "/         alice, expired  401 ",
                "/account  anonymous       401 ",
                "/account  alice           200 welcome back, alice",
            ],
        ),
        (
            "custom_response",
            &[
                "401 Unauthorized",
                "content-type: application/problem+json",
                r#"{"detail":"The access token expired","error":"invalid_token","status":401,"title":"Unauthorized","type":"about:blank"}"#,
                "403 Forbidden",
                "content-type: text/html; charset=utf-8",
                "<h1>Sorry</h1><p>The access token expired.</p>",
            ],
        ),
        (
            "access_log",
            &[
                r#"GET /me 200 - "alice""#,
                r#"GET /me 200 - "mallory\n""#,
                r#"GET /me 401 expired "-""#,
                r#"GET /reports 403 insufficient_scope "alice""#,
                r#"GET /reports 200 - "alice""#,
            ],
        ),
        (
            "reload_jwks",
            &[
                "no file yet; a token gets 503",
                "the first key: key set 1 is in use; a token of the first key gets 200, of the new one 401",
                "a new key: key set 2 is in use; a token of the first key gets 401, of the new one 200",
            ],
        ),
        (
            "tonic",
            &[
                r#"check("") with no token: Unauthenticated, "The request carries no access token", auth-scope None"#,
                r#"check("") with expired: Unauthenticated, "The access token expired", auth-scope None"#,
                r#"check("") with without health:read: PermissionDenied, "The request requires higher privileges than provided by the access token", auth-scope Some("health:read")"#,
                r#"check("") with health:read: serving: true"#,
                r#"check("reports") with health:read: PermissionDenied, "The request requires higher privileges than provided by the access token", auth-scope Some("health:reports")"#,
            ],
        ),
    ] {
        let output = example(name).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{name}: {stderr}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        for line in shown {
            assert!(stdout.lines().any(|printed| printed == *line), "{name}: {line}\n{stdout}");
        }
    }
}

/// The whole story, as it is printed and as the README shows it, pasted into a shell.
#[cfg(unix)]
#[test]
fn the_commands_of_appfusion_tell_the_story_that_they_promise() {
    for algorithm in ["ES256", "HS256"] {
        let name = format!("tower-bearer-appfusion-{}-{algorithm}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        let db = folder.join("appfusion.db");
        let options = ["--listen", "127.0.0.1:0", "--alg", algorithm, "--db", db.to_str().unwrap()];
        let mut server = Server::start("appfusion", &options);
        let mut story = String::new();
        while !story.contains("# call the service: 401\ncurl") {
            assert_ne!(server.stdout.read_line(&mut story).unwrap(), 0, "{story}");
        }
        // The line was read up to its end, and is the last one that the README shows.
        let readme = include_str!("../README.md");
        assert!(
            readme.contains(&format!("```text\n{}```\n", as_shown(&server, &story))),
            "{story}"
        );
        let shell = Command::new("bash").args(["-c", &story]).output().unwrap();
        let printed = String::from_utf8_lossy(&shell.stdout);
        let statuses: Vec<_> =
            printed.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 ")).collect();
        assert_eq!(
            statuses,
            ["200 OK", "401 Unauthorized", "401 Unauthorized", "401 Unauthorized"],
            "{printed}"
        );
        assert!(printed.contains("the reports of app_") && printed.contains("\n{}"), "{printed}");
        assert_eq!(server.end(), "");
        // The secret is known no more.
        let mut again = Server::start("appfusion", &options);
        let mut line = String::new();
        while !line.contains("SECRET") {
            line.clear();
            assert_ne!(again.stdout.read_line(&mut line).unwrap(), 0);
        }
        assert_eq!(line, "SECRET=...\n");
        drop(again);
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn appfusion_makes_no_key_in_the_place_of_one_that_is_lost() {
    let folder = std::env::temp_dir().join(format!("tower-bearer-lost-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    let (db, key) = (folder.join("appfusion.db"), folder.join("appfusion.db.key"));
    let options = ["--listen", "127.0.0.1:0", "--db", db.to_str().unwrap()];
    drop(Server::start("appfusion", &options));
    let aside = folder.join("aside");
    fs::rename(&key, &aside).unwrap();
    let output = example("appfusion").args(options).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let said = format!("appfusion: there is no key file {}: put the one back", key.display());
    assert!(stderr.starts_with(&said), "{stderr}");
    assert!(!key.exists());
    fs::rename(&aside, &key).unwrap();
    drop(Server::start("appfusion", &options));
    fs::remove_dir_all(&folder).unwrap();
}

#[cfg(unix)]
#[test]
fn appfusion_adds_a_secret_as_often_as_it_is_asked_to() {
    let folder = std::env::temp_dir().join(format!("tower-bearer-secrets-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    let db = folder.join("appfusion.db");
    let options = ["--listen", "127.0.0.1:0", "--new-secret", "--db", db.to_str().unwrap()];
    let mut secrets = Vec::new();
    for good in [1, 2, 2, 2] {
        let mut server = Server::start("appfusion", &options);
        let mut line = String::new();
        while !line.starts_with("SECRET=") {
            line.clear();
            assert_ne!(server.stdout.read_line(&mut line).unwrap(), 0);
        }
        secrets.push(line.trim_end().strip_prefix("SECRET=").unwrap().to_owned());
        // The last two are good, and no other one is.
        let oldest_good = secrets.len() - good;
        for (place, secret) in secrets.iter().enumerate() {
            let status = if place < oldest_good { "401" } else { "200" };
            assert_eq!(authenticate(&server, secret), status, "{place} of {}", secrets.len());
        }
    }
    fs::remove_dir_all(&folder).unwrap();
}

/// The status of the answer to the demo application with this secret.
#[cfg(unix)]
fn authenticate(server: &Server, secret: &str) -> String {
    let body = json!({ "applicationName": "App1", "applicationSecret": secret }).to_string();
    let url = format!("http://{}/api/Auth/authenticateApplication", server.address);
    let json = "content-type: application/json";
    let curl = ["-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", json, "-d", &body, &url];
    String::from_utf8(Command::new("curl").args(curl).output().unwrap().stdout).unwrap()
}

/// What `appfusion` printed, with that in it which is another each time as in the README.
#[cfg(unix)]
fn as_shown(server: &Server, story: &str) -> String {
    let first = format!("listening on http://{}, end with Ctrl-C\n", server.address);
    let secret = story.split("SECRET=").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    let shown = format!("{first}{story}").replace(secret, "tbs_...");
    shown.replace(&server.address.to_string(), "127.0.0.1:8080")
}

#[test]
fn a_revocation_reaches_the_second_process_of_the_example_with_replicas() {
    let output = example("replicas").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = stdout.lines().skip(2).collect();
    assert_eq!(lines[..2], ["a token, there: 200", "revoked, here"]);
    assert!(lines[2].starts_with("the same token, there: 401 after "), "{stdout}");
}
