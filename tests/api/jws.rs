//! The token as a compact JWS: structure, encoding, header, and which key and signature count.

use std::{
    io::ErrorKind,
    net::{TcpListener, TcpStream},
    time::Duration,
};

use tower_bearer::{
    Algorithm, AuthErrorKind as Kind, Backend, ConfigError, Issuer, Verifier,
    key::VerifyingKey,
    test_util::{TestIssuer, raw},
};

use crate::support::{
    NOW, Protected, claims_text, decode, der, der_integer, encode, header_text, issuer,
    issuer_with, refusal, sign_elsewhere, split_signature, with_signature,
};

/// The secret that the issuer and [`mac`] share.
const SECRET: [u8; 32] = [7; 32];

/// A verifier for an HS256 issuer whose secret is known here, so that any bytes can be signed. Its
/// only key is `test-key`, and it takes tokens of up to 64 KiB.
fn hs256() -> (TestIssuer, Verifier) {
    let issuer = issuer_with(Algorithm::Hs256);
    let key = VerifyingKey::hmac(Algorithm::Hs256, &SECRET).and_then(|key| key.with_id("test-key"));
    let trusted = Issuer::new(issuer.name())
        .audience(issuer.audience())
        .algorithms([Algorithm::Hs256])
        .keys(key.unwrap());
    let verifier = Verifier::builder().issuer(trusted).clock(clock()).max_token_len(64 * 1024);
    (issuer, verifier.build().unwrap())
}

fn clock() -> tower_bearer::time::UnixTime {
    tower_bearer::time::UnixTime::from_secs(NOW)
}

/// The input with its HS256 tag under [`SECRET`]: a good signature, whatever the input is.
fn mac(input: &str) -> String {
    with_signature(input, &hs256_tag(&SECRET, input))
}

fn hs256_tag(secret: &[u8], input: &str) -> Vec<u8> {
    let key = jsonwebtoken::EncodingKey::from_secret(secret);
    sign_elsewhere(jsonwebtoken::Algorithm::HS256, &key, input.as_bytes())
}

/// A token whose signature is good, with these bytes as header and payload.
fn signed(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    mac(&format!("{}.{}", encode(header), encode(payload)))
}

/// A verifier for [`issuer`]'s tokens with these keys and algorithms instead.
fn verifier_of(
    issuer: &TestIssuer,
    algorithms: impl IntoIterator<Item = Algorithm>,
    keys: impl Into<tower_bearer::issuer::KeySource>,
) -> Verifier {
    let trusted =
        Issuer::new(issuer.name()).audience(issuer.audience()).algorithms(algorithms).keys(keys);
    Verifier::builder().issuer(trusted).clock(clock()).build().unwrap()
}

/// R-JWS-01, R-JWS-36, R-AT-04
#[tokio::test]
async fn a_token_has_exactly_three_parts() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let good = issuer.token().sign();
    let [header, payload, signature] = *good.split('.').collect::<Vec<_>>() else { panic!() };
    let jwe = encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM","kid":"test-key"}"#);
    for token in [
        header.to_owned(),
        format!("{header}.{payload}"),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!(".{good}"),
        format!("{header}..{payload}.{signature}"),
        format!("{jwe}.{payload}.{payload}.{payload}.{signature}"),
        format!("{good}.{payload}.{signature}"),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        format!(".{payload}.{signature}"),
    ] {
        protected.refuses(&token, Kind::Malformed, &token).await;
    }
    protected.accepts(&good, "the token itself").await;
}

/// R-JWS-02
#[test]
fn a_json_serialized_jws_is_no_token() {
    let issuer = issuer();
    let good = issuer.token().sign();
    let [header, payload, signature] = *good.split('.').collect::<Vec<_>>() else { panic!() };
    for token in [
        format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#),
        format!(
            r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"{signature}"}}]}}"#
        ),
        format!(r#"{{"a":"{good}"}}"#),
        format!(r#""{good}""#),
        "abc=.d.e".to_owned(),
    ] {
        assert_eq!(refusal(&issuer.verifier(), &token), Kind::Malformed, "{token}");
    }
}

/// R-JWS-02, R-JWS-03: each of these tokens has a good signature over the bytes as they stand, so
/// that only the encoding is at fault.
#[test]
fn base64url_is_strict_in_header_and_payload() {
    let (issuer, verifier) = hs256();
    let header = encode(header_text(&issuer));
    let payload = encode(claims_text(&issuer, &[]));
    assert!(verifier.verify_now(&mac(&format!("{header}.{payload}"))).is_ok());

    for wrong in
        ["=", "==", "+", "/", " ", "\n", "\r\n", "\t", "\0", "%3D", "~", "$", "é", "\u{feff}"]
    {
        for (header_at, payload_at) in [(true, false), (false, true)] {
            for at in [0, 1, 17, 33, usize::MAX] {
                let spoil = |text: &str, spoilt: bool| match at.min(text.len()) {
                    at if spoilt => format!("{}{wrong}{}", &text[..at], &text[at..]),
                    _ => text.to_owned(),
                };
                let input =
                    format!("{}.{}", spoil(&header, header_at), spoil(&payload, payload_at));
                assert_eq!(refusal(&verifier, &mac(&input)), Kind::Malformed, "{input}");
            }
        }
    }
}

/// R-JWS-02, R-JWS-03
#[test]
fn a_character_of_another_alphabet_is_found_wherever_it_stands() {
    let (issuer, verifier) = hs256();
    let input = format!("{}.{}", encode(header_text(&issuer)), encode(claims_text(&issuer, &[])));
    for at in (0..input.len()).filter(|at| input.as_bytes()[*at] != b'.') {
        for wrong in ["+", "/", "=", "\u{7f}"] {
            let mut spoilt = input.clone();
            spoilt.replace_range(at..=at, wrong);
            assert_eq!(refusal(&verifier, &mac(&spoilt)), Kind::Malformed, "{wrong} at {at}");
        }
    }
}

/// R-JWS-03, R-JWS-04
#[tokio::test]
async fn base64url_is_strict_in_the_signature() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let good = issuer.token().sign();
    for wrong in ["=", "==", "AAA", "AA=", "/", "+", "%3d", "~"] {
        protected.refuses(&format!("{good}{wrong}"), Kind::Malformed, wrong).await;
    }
    for wrong in ["\n", " ", "\r\n", "\0", "é"] {
        assert_eq!(refusal(&issuer.verifier(), &format!("{good}{wrong}")), Kind::Malformed);
    }
    protected.accepts(&good, "the token itself").await;
}

/// R-JWS-04: header, payload and signature of every length, with each pattern of stray bits.
#[test]
fn trailing_bits_must_be_zero() {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // The other texts that decode to the same bytes, but for the bits that are thrown away.
    let aliases = |text: &str| {
        let last = ALPHABET.find(&text[text.len() - 1..]).unwrap();
        let free = [0, 0, 4, 2][text.len() % 4];
        let with =
            |bits| format!("{}{}", &text[..text.len() - 1], &ALPHABET[last + bits..=last + bits]);
        (1..1 << free).map(with).collect::<Vec<_>>()
    };
    let (issuer, verifier) = hs256();
    for length in 0..100 {
        let space = " ".repeat(length);
        let header = encode(header_text(&issuer) + &space);
        let payload = encode(claims_text(&issuer, &[]) + &space);
        let input = format!("{header}.{payload}");
        assert!(verifier.verify_now(&mac(&input)).is_ok(), "{length}");
        for alias in aliases(&header) {
            let token = mac(&format!("{alias}.{payload}"));
            assert_eq!(refusal(&verifier, &token), Kind::Malformed, "header, {length}");
        }
        for alias in aliases(&payload) {
            let token = mac(&format!("{header}.{alias}"));
            assert_eq!(refusal(&verifier, &token), Kind::Malformed, "payload, {length}");
        }
    }
    let token =
        mac(&format!("{}.{}", encode(header_text(&issuer)), encode(claims_text(&issuer, &[]))));
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signatures = aliases(signature);
    assert_eq!(signatures.len(), 3);
    for alias in signatures {
        assert_eq!(refusal(&verifier, &format!("{input}.{alias}")), Kind::Malformed, "{alias}");
    }
}

/// R-JWS-05: texts that are no single JSON object, with a good signature.
#[test]
fn header_and_claims_are_one_strict_json_object() {
    let (issuer, verifier) = hs256();
    let (header, claims) = (header_text(&issuer), claims_text(&issuer, &[]));
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| {
        text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>()
    };
    let spoilt = |good: &str| -> Vec<Vec<u8>> {
        let inner = &good[1..good.len() - 1];
        let mut texts: Vec<Vec<u8>> = [
            String::new(),
            " ".to_owned(),
            "[]".to_owned(),
            "\"x\"".to_owned(),
            "null".to_owned(),
            "1".to_owned(),
            "true".to_owned(),
            "{}x".to_owned(),
            format!("[{good}]"),
            format!("{good}x"),
            format!("{good}{good}"),
            format!("{good},"),
            format!("{good}\0"),
            format!("\u{feff}{good}"),
            format!("x{good}"),
            format!("{{{inner},}}"),
            format!("{{,{inner}}}"),
            format!("{{{inner}"),
            format!("{{{inner}]"),
            inner.to_owned(),
            good.replace('"', "'"),
            format!("{{{inner}/*c*/}}"),
            format!("{{{inner},\"x\":}}"),
            format!("{{{inner},\"x\"}}"),
            format!("{{{inner},x:1}}"),
            format!("{{{inner},1:1}}"),
            format!("{{{inner},\"x\":NaN}}"),
            format!("{{{inner},\"x\":01}}"),
            format!("{{{inner},\"x\":1.}}"),
            format!("{{{inner},\"x\":+1}}"),
            format!("{{{inner},\"x\":tru}}"),
            format!("{{{inner},\"x\":\"\n\"}}"),
            format!("{{{inner},\"x\":\"\\q\"}}"),
            format!("{{{inner},\"x\":\"\\u12\"}}"),
            format!("{{{inner},\"x\":[1,]}}"),
            format!("{{{inner},\"x\":{{\"y\":}}}}"),
            // Lone surrogates in a name, in a value, in a nested value, and in the wrong order.
            format!("{{{inner},\"\\ud800\":1}}"),
            format!("{{{inner},\"x\":\"\\ud800\"}}"),
            format!("{{{inner},\"x\":\"\\udc00\"}}"),
            format!("{{{inner},\"x\":\"\\uD83D\\uD83D\"}}"),
            format!("{{{inner},\"x\":\"\\ude00\\ud83d\"}}"),
            format!("{{{inner},\"x\":\"\\ud83d\\\\ude00\"}}"),
            format!("{{{inner},\"x\":[{{\"y\":\"\\udfff\"}}]}}"),
            format!("{{{inner},\"x\":{{\"\\udfff\":1}}}}"),
        ]
        .map(String::into_bytes)
        .into();
        texts.push(utf16(good, u16::to_le_bytes));
        texts.push(utf16(good, u16::to_be_bytes));
        texts.push(utf16(&format!("\u{feff}{good}"), u16::to_le_bytes));
        // No UTF-8: a stray byte, an overlong form, an encoded surrogate, beyond Unicode, cut short.
        for bytes in [&b"\xff"[..], b"\xc0\xae", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"]
        {
            texts.push([b"{\"x\":\"", bytes, b"\",", inner.as_bytes(), b"}"].concat());
        }
        texts
    };
    for wrong in spoilt(&header) {
        let text = String::from_utf8_lossy(&wrong).into_owned();
        assert_eq!(refusal(&verifier, &signed(&wrong, &claims)), Kind::Malformed, "header {text}");
    }
    for wrong in spoilt(&claims) {
        let text = String::from_utf8_lossy(&wrong).into_owned();
        assert_eq!(refusal(&verifier, &signed(&header, &wrong)), Kind::Malformed, "claims {text}");
    }
    // What is unusual and still JSON.
    for (before, after) in [(" \r\n\t", "\n "), ("", "\t")] {
        let token = signed(format!("{before}{header}{after}"), format!("{before}{claims}{after}"));
        assert!(verifier.verify_now(&token).is_ok());
    }
    for more in
        [r#","x":"\ud83d\ude00""#, r#","x":"\\ud800""#, r#","x":"\uFFFF\u0000""#, r#","":"""#]
    {
        let with = |text: &str| format!("{}{more}}}", &text[..text.len() - 1]);
        assert!(verifier.verify_now(&signed(with(&header), with(&claims))).is_ok(), "{more}");
    }
}

/// R-JWS-06
#[test]
fn a_header_parameter_that_stands_twice_is_refused() {
    let (issuer, verifier) = hs256();
    let many: String = (0..30).map(|number| format!(r#""m{number}":0,"#)).collect();
    for header in [
        r#"{"alg":"HS256","alg":"none","kid":"test-key","typ":"at+jwt"}"#.to_owned(),
        r#"{"alg":"none","alg":"HS256","kid":"test-key","typ":"at+jwt"}"#.to_owned(),
        r#"{"alg":"HS256","alg":"HS256","kid":"test-key","typ":"at+jwt"}"#.to_owned(),
        r#"{"alg":"HS256","\u0061lg":"HS256","kid":"test-key","typ":"at+jwt"}"#.to_owned(),
        r#"{"alg":"HS256","kid":"other","kid":"test-key","typ":"at+jwt"}"#.to_owned(),
        r#"{"alg":"HS256","kid":"test-key","typ":"JWT","typ":"at+jwt"}"#.to_owned(),
        r#"{"alg":"HS256","kid":"test-key","typ":"at+jwt","x":1,"x":1}"#.to_owned(),
        r#"{"alg":"HS256","kid":"test-key","typ":"at+jwt","x":{"a":1,"a":1}}"#.to_owned(),
        r#"{"x":1,"alg":"HS256","kid":"test-key","typ":"at+jwt","\u0078":[]}"#.to_owned(),
        r#"{"alg":"HS256","kid":"test-key","typ":"at+jwt","é":1,"\u00e9":1}"#.to_owned(),
        format!(r#"{{{many}"alg":"HS256","kid":"test-key","typ":"at+jwt","m0":1}}"#),
        format!(r#"{{{many}"alg":"HS256","kid":"test-key","typ":"at+jwt","m29":1}}"#),
        format!(r#"{{{many}"alg":"HS256","kid":"test-key","typ":"at+jwt","alg":"HS256"}}"#),
        format!(r#"{{{many}"alg":"HS256","kid":"test-key","typ":"at+jwt","m2\u0039":1}}"#),
    ] {
        let token = signed(&header, claims_text(&issuer, &[]));
        assert_eq!(refusal(&verifier, &token), Kind::Malformed, "{header}");
    }
    let header = format!(r#"{{{many}"alg":"HS256","kid":"test-key","typ":"at+jwt"}}"#);
    assert!(verifier.verify_now(&signed(header, claims_text(&issuer, &[]))).is_ok());
    // Names are compared by code point: neither case nor Unicode forms make two of them equal.
    let header =
        r#"{"alg":"HS256","ALG":"none","kid":"test-key","typ":"at+jwt","\u00e9":1,"e\u0301":1}"#;
    assert!(verifier.verify_now(&signed(header, claims_text(&issuer, &[]))).is_ok());
}

/// R-JWS-07
#[test]
fn nesting_and_members_are_bounded() {
    let (issuer, verifier) = hs256();
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}0{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let members = |count: usize| {
        let members: Vec<_> = (0..count).map(|number| format!(r#""{number}":0"#)).collect();
        format!("{{{}}}", members.join(","))
    };
    // The object itself is the first level; the claims have 7 members, the header 3, and `x`.
    let cases = [
        (nested(31), true),
        (nested(32), false),
        (nested(10_000), false),
        ("[".repeat(10_000), false),
        (objects(31), true),
        (objects(32), false),
        (objects(5_000), false),
        (members(256 - 8), true),
        (members(256 - 7), false),
        (members(4_000), false),
        (format!("\"{}\"", "[{:\\\"".repeat(1_000)), true),
        (format!("[{}0]", "0,".repeat(5_000)), true),
    ];
    for (value, sound) in cases {
        let short = &value[..value.len().min(40)];
        let token = signed(header_text(&issuer), claims_text(&issuer, &[("x", &value)]));
        let result = verifier.verify_now(&token).map_err(|error| error.kind());
        assert_eq!(result.map(drop), if sound { Ok(()) } else { Err(Kind::Malformed) }, "{short}");
    }
    for (value, sound) in [
        (nested(31), true),
        (nested(32), false),
        ("[".repeat(10_000), false),
        ("{\"a\":".repeat(5_000), false),
        (members(256 - 4), true),
        (members(256 - 3), false),
    ] {
        let short = &value[..value.len().min(40)];
        let header = format!(r#"{{"alg":"HS256","kid":"test-key","typ":"at+jwt","x":{value}}}"#);
        let result = verifier.verify_now(&signed(header, claims_text(&issuer, &[])));
        let result = result.map_err(|error| error.kind());
        assert_eq!(result.map(drop), if sound { Ok(()) } else { Err(Kind::Malformed) }, "{short}");
    }
}

/// R-JWS-08: what is signed is what arrived, not what it would be if it was written again.
#[test]
fn the_signature_covers_the_bytes_as_received() {
    let (issuer, verifier) = hs256();
    let claims = claims_text(&issuer, &[]);
    for header in [
        "{\"typ\":\"at+jwt\",\r\n \"kid\":\"test-key\",\r\n \"alg\":\"HS256\"}",
        "  { \"kid\" :\t\"test-key\" , \"typ\":\"at+jwt\",\"alg\":\"HS256\" }  ",
        r#"{"\u0061lg":"HS2\u00356","kid":"test\u002dkey","typ":"at\u002bjwt"}"#,
    ] {
        let token = signed(header, claims.replace(',', " ,\n\t"));
        assert!(verifier.verify_now(&token).is_ok(), "{header}");
        // The same header, written differently, under the same signature.
        let (input, tag) = split_signature(&token);
        let payload = input.split_once('.').unwrap().1;
        let rewritten = format!("{}.{payload}", encode(header_text(&issuer)));
        assert_eq!(refusal(&verifier, &with_signature(&rewritten, &tag)), Kind::BadSignature);
    }
}

/// R-JWS-09, R-JWS-18
#[tokio::test]
async fn unknown_header_parameters_are_ignored() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    for (name, value) in [
        ("foo", serde_json::json!(1)),
        ("foo", serde_json::json!({"alg": "none", "nested": [{"kid": 1}]})),
        ("ALG", serde_json::json!("none")),
        ("zip", serde_json::json!("DEF")),
        ("jwk", serde_json::json!({"kty": "oct", "k": "AAAA"})),
        ("jku", serde_json::json!("http://127.0.0.1:9/keys")),
        ("x5u", serde_json::json!(17)),
        ("x5c", serde_json::json!(["not base64"])),
        ("x5t#S256", serde_json::json!(null)),
    ] {
        protected.accepts(&issuer.token().header(name, value).sign(), name).await;
    }
}

/// R-JWS-10
#[tokio::test]
async fn alg_is_required_and_compared_exactly() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    protected.refuses(&issuer.token().without_header("alg").sign(), Kind::Malformed, "none").await;
    for value in [
        serde_json::json!(256),
        serde_json::json!(null),
        serde_json::json!(true),
        serde_json::json!(["ES256"]),
        serde_json::json!({"ES256": "ES256"}),
    ] {
        let token = issuer.token().header("alg", value.clone()).sign();
        protected.refuses(&token, Kind::Malformed, &value.to_string()).await;
    }
    for alg in
        ["", "es256", "Es256", "ES256 ", " ES256", "ES256\0", "ES-256", "ES256,ES256", "ЕS256"]
    {
        let token = issuer.token().header("alg", alg).sign();
        protected.refuses(&token, Kind::AlgorithmNotAllowed, alg).await;
    }
}

/// R-JWS-11, R-JWS-37
#[tokio::test]
async fn none_is_refused_in_every_spelling() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let signature = split_signature(&issuer.token().sign()).1;
    for spelling in 0..16_u8 {
        let alg: String = "none"
            .char_indices()
            .map(
                |(at, letter)| {
                    if spelling >> at & 1 == 1 { letter.to_ascii_uppercase() } else { letter }
                },
            )
            .collect();
        let token = issuer.token().header("alg", alg.as_str());
        let signed = token.sign();
        let (input, own) = split_signature(&signed);
        for signature in [&[][..], &own, &signature, &[0; 64]] {
            let token = with_signature(input, signature);
            protected.refuses(&token, Kind::AlgorithmNotAllowed, &token).await;
        }
        let named: Result<Algorithm, _> = alg.parse();
        assert_eq!(named, Err(ConfigError::UnknownAlgorithm { name: alg }));
    }
    protected.refuses(&issuer.token().unsigned().sign(), Kind::AlgorithmNotAllowed, "none").await;
    assert!(Algorithm::ALL.iter().all(|algorithm| !algorithm.name().eq_ignore_ascii_case("none")));
}

/// R-JWS-11
#[tokio::test]
async fn an_empty_signature_is_refused_for_every_algorithm() {
    for algorithm in [Algorithm::Hs256, Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let issuer = issuer_with(algorithm);
        let good = issuer.token().sign();
        let (input, _) = split_signature(&good);
        let protected = Protected::by(issuer.verifier());
        protected.refuses(&format!("{input}."), Kind::BadSignature, algorithm.name()).await;
    }
}

/// R-JWS-12, R-JWS-34
#[tokio::test]
async fn only_the_listed_algorithms_are_accepted() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let others = Algorithm::ALL.iter().map(|algorithm| algorithm.name());
    let unknown = [
        "RS1",
        "HS1",
        "ES256K",
        "RSA1_5",
        "RSA-OAEP",
        "dir",
        "A128KW",
        "SHA1",
        "MD5",
        "ML-DSA-44",
        "Ed448",
    ];
    for alg in others.into_iter().filter(|alg| *alg != "ES256").chain(unknown).chain(["Ed25519"]) {
        let token = issuer.token().header("alg", alg).sign();
        protected.refuses(&token, Kind::AlgorithmNotAllowed, alg).await;
    }
    let foreign = issuer_with(Algorithm::Rs256).token().sign();
    protected.refuses(&foreign, Kind::AlgorithmNotAllowed, "a good RS256 token").await;
}

/// R-JWS-13, R-JWS-14
#[test]
fn the_algorithm_must_fit_the_key() {
    let es256 = issuer();
    let (rs256, ps256, es384, eddsa) = (
        issuer_with(Algorithm::Rs256),
        issuer_with(Algorithm::Ps256),
        issuer_with(Algorithm::Es384),
        issuer_with(Algorithm::EdDsa),
    );
    let every = Algorithm::ALL
        .iter()
        .copied()
        .filter(|algorithm| !algorithm.is_hmac() && *algorithm != Algorithm::Es512);
    let issuers = [&es256, &rs256, &ps256, &es384, &eddsa];
    for owner in issuers {
        // The issuer may use all algorithms, but this key, known by its id, has one.
        let verifier = verifier_of(owner, every.clone(), owner.keys());
        assert!(verifier.verify_now(&owner.token().sign()).is_ok());
        for other in issuers.iter().filter(|other| other.algorithm() != owner.algorithm()) {
            let case = format!("{} token, {} key", other.algorithm(), owner.algorithm());
            assert_eq!(refusal(&verifier, &other.token().sign()), Kind::UnknownKey, "{case}");
            // The owner's own signature under another name.
            let token = owner.token().header("alg", other.algorithm().name()).sign();
            assert_eq!(refusal(&verifier, &token), Kind::UnknownKey, "{case}, own signature");
        }
    }
}

/// R-JWS-14: an RSA key without `alg` serves whatever RSA algorithm the issuer's list has, and no
/// other.
#[test]
fn a_key_without_alg_serves_what_the_issuer_allows() {
    let issuer = issuer_with(Algorithm::Ps256);
    let mut jwk: serde_json::Value = serde_json::from_str(&issuer.jwks()).unwrap();
    let jwk = jwk["keys"][0].as_object_mut().unwrap();
    jwk.remove("alg");
    let key = VerifyingKey::from_jwk(&serde_json::to_string(jwk).unwrap()).unwrap();
    assert_eq!(key.algorithm(), None);

    let token = issuer.token().sign();
    let verifier =
        |algorithms: &[Algorithm]| verifier_of(&issuer, algorithms.iter().copied(), key.clone());
    assert_eq!(refusal(&verifier(&[Algorithm::Rs256]), &token), Kind::AlgorithmNotAllowed);
    assert!(verifier(&[Algorithm::Ps256]).verify_now(&token).is_ok());
    assert!(verifier(&[Algorithm::Rs256, Algorithm::Ps256]).verify_now(&token).is_ok());
    // The padding is not a matter of taste: the same key, the same signature, another name.
    let renamed = issuer.token().header("alg", "RS256").sign();
    let both = verifier(&[Algorithm::Rs256, Algorithm::Ps256]);
    assert_eq!(refusal(&both, &renamed), Kind::BadSignature);
}

/// R-JWS-15
#[tokio::test]
async fn a_public_key_is_never_an_hmac_secret() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let issuer = issuer_with(algorithm);
        let protected = Protected::by(issuer.verifier());
        protected
            .refuses(&issuer.token().key_confusion().sign(), Kind::AlgorithmNotAllowed, "JWKS")
            .await;

        let jwks: serde_json::Value = serde_json::from_str(&issuer.jwks()).unwrap();
        let jwk = &jwks["keys"][0];
        let member = |name: &str| jwk[name].as_str().map_or_else(Vec::new, decode);
        let secrets = [
            jwk.to_string().into_bytes(),
            member("n"),
            member("x"),
            [vec![4], member("x"), member("y")].concat(),
            issuer.key().thumbprint().unwrap().into_bytes(),
            b"test-key".to_vec(),
            Vec::new(),
            vec![0; 32],
        ];
        assert_no_secret_signs(&issuer, &protected, &secrets).await;
    }
}

/// R-JWS-15: nor is the file that a public key was read from.
#[tokio::test]
async fn a_public_key_in_pem_or_der_is_never_an_hmac_secret() {
    for (algorithm, key) in crate::backends::foreign_keys() {
        let issuer = issuer_with(algorithm);
        let public = VerifyingKey::from_pem(key.public).and_then(|key| key.with_id("test-key"));
        let protected = Protected::by(verifier_of(&issuer, [algorithm], public.unwrap()));
        protected.accepts(&key.token(algorithm, &claims_text(&issuer, &[])), "its own").await;

        let trimmed = key.public.trim_end();
        let secrets = [
            format!("{trimmed}\n").into_bytes(),
            trimmed.as_bytes().to_vec(),
            trimmed.replace('\n', "\r\n").into_bytes(),
            trimmed.lines().filter(|line| !line.starts_with('-')).collect::<String>().into_bytes(),
            key.der(),
        ];
        assert_no_secret_signs(&issuer, &protected, &secrets).await;
    }
}

/// R-JWS-16
#[tokio::test]
async fn critical_extensions_are_refused_as_none_is_understood() {
    use serde_json::json;

    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    for crit in [
        json!(["exp"]),
        json!([]),
        json!("b64"),
        json!(["b64"]),
        json!(["foo"]),
        json!(["foo", "foo"]),
        json!(["alg"]),
        json!(["missing"]),
        json!([1]),
        json!({}),
        json!(null),
        json!(true),
        json!(["constructor"]),
        json!([""]),
    ] {
        let token = issuer.token().header("foo", 1).header("crit", crit.clone()).sign();
        protected.refuses(&token, Kind::UnsupportedHeader, &crit.to_string()).await;
    }
    for b64 in [json!(false), json!(true), json!(null)] {
        let token = issuer.token().header("b64", b64.clone());
        protected.refuses(&token.clone().sign(), Kind::UnsupportedHeader, &b64.to_string()).await;
        let token = token.header("crit", json!(["b64"])).sign();
        protected.refuses(&token, Kind::UnsupportedHeader, &b64.to_string()).await;
    }
    // Escapes do not hide the name.
    let header = r#"{"alg":"ES256","kid":"test-key","typ":"at+jwt","\u0063rit":["exp"],"exp":1}"#;
    let token = issuer.sign_raw(header, &claims_text(&issuer, &[]));
    protected.refuses(&token, Kind::UnsupportedHeader, header).await;
}

/// R-JWS-18
#[tokio::test]
async fn keys_that_a_token_brings_along_are_not_used() {
    use serde_json::json;

    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let attacker = issuer_with(Algorithm::Es256);
    let jwks: serde_json::Value = serde_json::from_str(&attacker.jwks()).unwrap();
    for (name, value) in [
        ("jwk", jwks["keys"][0].clone()),
        ("jku", json!("http://127.0.0.1:9/jwks.json")),
        ("x5u", json!("http://127.0.0.1:9/cert.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let token = attacker.token().header(name, value);
        protected.refuses(&token.clone().sign(), Kind::BadSignature, name).await;
        protected.refuses(&token.without_header("kid").sign(), Kind::BadSignature, name).await;
    }
}

/// R-JWS-18: nobody goes where a token points to.
#[tokio::test]
async fn no_connection_is_made_to_where_a_token_points() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let url = |path: &str| format!("http://{address}/{path}");

    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let pointing = |issuer: &TestIssuer| {
        issuer.token().header("jku", url("jwks.json")).header("x5u", url("cert.pem"))
    };
    let foreign = pointing(&issuer_with(Algorithm::Es256));
    protected.refuses(&foreign.sign(), Kind::BadSignature, "a foreign key").await;
    protected.refuses(&foreign.unknown_key().sign(), Kind::UnknownKey, "an unknown key").await;
    protected.accepts(&pointing(&issuer).sign(), "a key of the issuer").await;
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);

    // Somebody who came would be seen.
    let _visitor = TcpStream::connect(address).unwrap();
    assert!(listener.accept().is_ok());
}

/// R-JWS-19, R-AT-01
#[tokio::test]
async fn typ_is_compared_as_a_media_type() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    for typ in [
        "at+jwt",
        "AT+JWT",
        "at+JWT",
        "application/at+jwt",
        "application/AT+JWT",
        "APPLICATION/at+jwt",
    ] {
        protected.accepts(&issuer.token().header("typ", typ).sign(), typ).await;
    }
    for typ in [
        "JWT",
        "jwt",
        "application/jwt",
        "id+jwt",
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "token-introspection+jwt",
        "statuslist+jwt",
        "client-authentication+jwt",
        "JOSE",
        "",
        "at+jwt;x=1",
        "at+jwt ",
        " at+jwt",
        "at+jwt\0",
        "at jwt",
        "atjwt",
        "at%2Bjwt",
        "application/application/at+jwt",
        "application/",
        "/at+jwt",
        "text/at+jwt",
        "application /at+jwt",
        "at+jwt,at+jwt",
        "application/at+jwt/",
    ] {
        protected
            .refuses(&issuer.token().header("typ", typ).sign(), Kind::WrongTokenType, typ)
            .await;
    }
    protected
        .refuses(&issuer.token().without_header("typ").sign(), Kind::WrongTokenType, "absent")
        .await;
    for typ in [serde_json::json!(1), serde_json::json!(null), serde_json::json!(["at+jwt"])] {
        let token = issuer.token().header("typ", typ.clone()).sign();
        protected.refuses(&token, Kind::Malformed, &typ.to_string()).await;
    }
}

/// R-JWS-20
#[tokio::test]
async fn nested_tokens_are_refused() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    for cty in ["JWT", "jwt", "Jwt", "application/jwt", "application/JWT", "APPLICATION/Jwt"] {
        protected
            .refuses(&issuer.token().header("cty", cty).sign(), Kind::UnsupportedHeader, cty)
            .await;
    }
    for cty in [serde_json::json!(1), serde_json::json!(["JWT"]), serde_json::json!(null)] {
        let token = issuer.token().header("cty", cty.clone()).sign();
        protected.refuses(&token, Kind::Malformed, &cty.to_string()).await;
    }
    protected.accepts(&issuer.token().header("cty", "json").sign(), "another content").await;
}

/// R-JWS-21
#[tokio::test]
async fn kid_is_an_opaque_bounded_string() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    for kid in [
        serde_json::json!(1),
        serde_json::json!(null),
        serde_json::json!(["test-key"]),
        serde_json::json!({}),
    ] {
        let token = issuer.token().header("kid", kid.clone()).sign();
        protected.refuses(&token, Kind::Malformed, &kid.to_string()).await;
    }
    for kid in [
        "",
        "Test-Key",
        "test-key ",
        "test-key\0",
        "../../etc/passwd",
        "/dev/null",
        "' OR 1=1",
        "test-key' --",
        "http://127.0.0.1:9/key",
        "тest-key",
        &"k".repeat(257),
        &"k".repeat(2000),
    ] {
        protected.refuses(&issuer.token().header("kid", kid).sign(), Kind::UnknownKey, kid).await;
    }

    let longest = "é".repeat(128);
    let key = issuer.key().clone().with_id(&longest).unwrap();
    let verifier = verifier_of(&issuer, [Algorithm::Es256], key.clone());
    assert!(verifier.verify_now(&issuer.token().header("kid", longest.as_str()).sign()).is_ok());
    assert!(key.clone().with_id(longest + "k").is_err());
    assert!(key.with_id("").is_err());
}

/// R-JWS-22, X-BF-09: with one of these keys the signature would hold; nothing is tried out.
#[test]
fn a_kid_that_is_unknown_is_refused_even_if_a_key_would_verify() {
    let issuer = issuer();
    let verifier = issuer.verifier();
    assert_eq!(refusal(&verifier, &issuer.token().unknown_key().sign()), Kind::UnknownKey);
    assert!(verifier.verify_now(&issuer.token().sign()).is_ok());
}

/// R-JWS-22, X-BF-09
#[test]
fn a_token_without_kid_needs_exactly_one_candidate() {
    let (rsa, second_rsa, ec) =
        (issuer_with(Algorithm::Rs256), issuer_with(Algorithm::Rs256), issuer());
    let algorithms = [Algorithm::Rs256, Algorithm::Es256, Algorithm::Ps256];
    let anonymous = |issuer: &TestIssuer| issuer.token().without_header("kid").sign();

    let one_each = verifier_of(&rsa, algorithms, [rsa.key().clone(), ec.key().clone()]);
    assert!(one_each.verify_now(&anonymous(&rsa)).is_ok());
    assert!(one_each.verify_now(&anonymous(&ec)).is_ok());

    let second = second_rsa.key().clone().with_id("second").unwrap();
    let keys = [rsa.key().clone(), second, ec.key().clone()];
    let two = verifier_of(&rsa, algorithms, keys);
    assert_eq!(refusal(&two, &anonymous(&rsa)), Kind::AmbiguousKey);
    assert_eq!(refusal(&two, &anonymous(&second_rsa)), Kind::AmbiguousKey);
    assert!(two.verify_now(&anonymous(&ec)).is_ok());
    assert!(two.verify_now(&rsa.token().sign()).is_ok());
    assert!(two.verify_now(&second_rsa.token().header("kid", "second").sign()).is_ok());
    let crossed = second_rsa.token().header("kid", "test-key").sign();
    assert_eq!(refusal(&two, &crossed), Kind::BadSignature);

    // No key for the algorithm at all: PS256 is allowed, and both RSA keys are for RS256.
    let ps256 = issuer_with(Algorithm::Ps256);
    assert_eq!(refusal(&two, &anonymous(&ps256)), Kind::UnknownKey);
}

/// R-JWS-22, R-KEY-10
#[test]
fn keys_that_share_a_kid_are_told_apart_by_algorithm_or_not_at_all() {
    let (rsa, ec, second_ec) = (issuer_with(Algorithm::Rs256), issuer(), issuer());
    let algorithms = [Algorithm::Rs256, Algorithm::Es256];
    let apart = verifier_of(&rsa, algorithms, [rsa.key().clone(), ec.key().clone()]);
    assert!(apart.verify_now(&ec.token().sign()).is_ok());
    assert!(apart.verify_now(&rsa.token().sign()).is_ok());
    assert_eq!(refusal(&apart, &ec.token().foreign_key().sign()), Kind::BadSignature);

    let same = verifier_of(&ec, algorithms, [ec.key().clone(), second_ec.key().clone()]);
    assert_eq!(refusal(&same, &ec.token().sign()), Kind::AmbiguousKey);
    assert_eq!(refusal(&same, &second_ec.token().sign()), Kind::AmbiguousKey);
}

/// R-JWS-23: only the whole tag counts.
#[test]
fn a_truncated_tag_is_refused() {
    let (issuer, verifier) = hs256();
    let token = signed(header_text(&issuer), claims_text(&issuer, &[]));
    let (input, tag) = split_signature(&token);
    for length in 0..tag.len() {
        let token = with_signature(input, &tag[..length]);
        assert_eq!(refusal(&verifier, &token), Kind::BadSignature, "{length} bytes");
    }
    let longer = [&tag[..], &[0]].concat();
    assert_eq!(refusal(&verifier, &with_signature(input, &longer)), Kind::BadSignature);
    for bit in 0..tag.len() * 8 {
        let mut flipped = tag.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(refusal(&verifier, &with_signature(input, &flipped)), Kind::BadSignature);
    }
    assert!(verifier.verify_now(&with_signature(input, &tag)).is_ok());
}

/// R-JWS-28
#[tokio::test]
async fn an_ecdsa_signature_has_two_numbers_of_full_width() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384] {
        let issuer = issuer_with(algorithm);
        let good = issuer.token().sign();
        let (_, signature) = split_signature(&good);
        let half = signature.len() / 2;
        let (r, s) = signature.split_at(half);
        let zero = vec![0; half];
        let order = order_of(algorithm);
        let wrong = [
            ("DER", der(0x30, &[&der_integer(r), &der_integer(s)])),
            ("zeros before both", [&[0], r, &[0], s].concat()),
            ("half", r.to_vec()),
            ("swapped", [s, r].concat()),
            ("r = 0", [&zero, s].concat()),
            ("s = 0", [r, &zero].concat()),
            ("r = s = n", [&order[..], &order].concat()),
            ("r = n", [&order, s].concat()),
            ("s = n", [r, &order].concat()),
            ("of P-521's length", vec![1; 132]),
            ("of 64 bytes", vec![1; 64]),
            ("of 96 bytes", vec![1; 96]),
        ];
        assert_only_the_right_one_holds(&issuer, &good, &wrong).await;
    }
}

/// R-JWS-28: numbers that happen to start with a zero byte keep it.
#[test]
fn a_leading_zero_belongs_to_the_signature() {
    let issuer = issuer();
    let verifier = issuer.verifier();
    let mut seen = [false; 2];
    for number in 0..20_000 {
        let token = issuer.token().claim("jti", number.to_string()).sign();
        let (input, signature) = split_signature(&token);
        for (half, at) in [0, 32].into_iter().enumerate().filter(|(_, at)| signature[*at] == 0) {
            assert!(verifier.verify_now(&token).is_ok());
            let mut stripped = signature.clone();
            stripped.remove(at);
            assert_eq!(refusal(&verifier, &with_signature(input, &stripped)), Kind::BadSignature);
            seen[half] = true;
        }
        if seen == [true; 2] {
            return;
        }
    }
    panic!("no signature had a leading zero");
}

/// R-JWS-28, R-JWS-13: an ES256 signature must be of P-256, whatever the key is called.
#[test]
fn an_es256_token_with_a_p384_key_is_refused() {
    let es384 = issuer_with(Algorithm::Es384);
    let verifier = verifier_of(&es384, [Algorithm::Es256, Algorithm::Es384], es384.keys());
    assert_eq!(refusal(&verifier, &es384.token().header("alg", "ES256").sign()), Kind::UnknownKey);
    assert!(es384.key().clone().with_algorithm(Algorithm::Es256).is_err());
}

/// R-JWS-31, R-JWS-40
#[test]
fn eddsa_and_ed25519_are_two_names_of_one_algorithm() {
    let issuer = issuer_with(Algorithm::EdDsa);
    let mut jwk: serde_json::Value = serde_json::from_str(&issuer.jwks()).unwrap();
    let jwk = jwk["keys"][0].as_object_mut().unwrap();
    for alg in [Some("EdDSA"), Some("Ed25519"), None] {
        match alg {
            Some(alg) => jwk.insert("alg".to_owned(), alg.into()),
            None => jwk.remove("alg"),
        };
        let key = VerifyingKey::from_jwk(&serde_json::to_string(&jwk).unwrap()).unwrap();
        let verifier = verifier_of(&issuer, [Algorithm::EdDsa], key);
        for name in ["EdDSA", "Ed25519"] {
            let token = issuer.token().header("alg", name).sign();
            assert!(verifier.verify_now(&token).is_ok(), "{name} with {alg:?}");
        }
        for name in ["eddsa", "ed25519", "ED25519", "Ed448"] {
            let token = issuer.token().header("alg", name).sign();
            assert_eq!(refusal(&verifier, &token), Kind::AlgorithmNotAllowed, "{name}");
        }
    }
    assert_eq!("Ed25519".parse(), Ok(Algorithm::EdDsa));
    assert_eq!("EdDSA".parse(), Ok(Algorithm::EdDsa));

    for crv in ["Ed448", "X25519", "X448", "P-256"] {
        jwk.insert("crv".to_owned(), crv.into());
        assert!(VerifyingKey::from_jwk(&serde_json::to_string(&jwk).unwrap()).is_err(), "{crv}");
    }
}

/// R-JWS-32: S + L is the same number to who does not look; it must not be the same signature.
#[tokio::test]
async fn an_ed25519_signature_has_one_form() {
    let issuer = issuer_with(Algorithm::EdDsa);
    let good = issuer.token().sign();
    let (_, signature) = split_signature(&good);
    let malleated = {
        let mut s = signature.clone();
        let mut carry = 0;
        for (byte, order) in s[32..].iter_mut().zip(ED25519_ORDER) {
            let sum = u16::from(*byte) + u16::from(order) + carry;
            *byte = (sum & 0xff) as u8;
            carry = sum >> 8;
        }
        s
    };
    let wrong = [
        ("S + L", malleated),
        ("S = 0", [&signature[..32], &[0; 32]].concat()),
        ("S = L", [&signature[..32], &ED25519_ORDER].concat()),
        ("R = 0", [&[0; 32], &signature[32..]].concat()),
    ];
    assert_only_the_right_one_holds(&issuer, &good, &wrong).await;
}

/// R-JWS-32: with the neutral element as R the equation can hold, so libraries differ; here it
/// never counts. The key is the base point, whose secret scalar is 1.
#[test]
fn a_small_order_r_is_refused_though_its_equation_holds() {
    let mut base_point = [0x66; 32];
    base_point[0] = 0x58;
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, encode(base_point));
    let key = VerifyingKey::from_jwk(&jwk).unwrap();

    let message = b"message";
    let hash = sha512(&[&neutral[..], &base_point, message].concat());
    let signature = [neutral, reduced(&hash)].concat();

    let elsewhere = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.verifier_factory;
    let foreign = jsonwebtoken::DecodingKey::from_ed_der(&base_point);
    let foreign = elsewhere(&jsonwebtoken::Algorithm::EdDSA, &foreign).unwrap();
    assert!(foreign.verify(message, &signature).is_ok(), "the equation must hold");
    let backend = Backend::compiled().unwrap();
    assert!(!raw::verify_signature(backend, &key, Algorithm::EdDsa, message, &signature));
}

/// R-JWS-33: the negated s is also a signature of the token, which stays the same token.
#[test]
fn a_flipped_ecdsa_signature_is_the_same_token() {
    let issuer = issuer();
    let verifier = issuer.verifier();
    let good = issuer.token().sign();
    let (input, signature) = split_signature(&good);
    let order = order_of(Algorithm::Es256);
    let mut negated = [0; 32];
    let mut borrow = 0;
    for at in (0..32).rev() {
        let difference = i16::from(order[at]) - i16::from(signature[32 + at]) - borrow;
        borrow = i16::from(difference < 0);
        negated[at] = difference.rem_euclid(256) as u8;
    }
    let flipped = with_signature(input, &[&signature[..32], &negated].concat());
    assert_ne!(flipped, good);
    let (first, second) =
        (verifier.verify_now(&good).unwrap(), verifier.verify_now(&flipped).unwrap());
    assert_eq!((first.issuer(), first.token_id()), (second.issuer(), second.token_id()));
    assert_eq!(second.token_id(), Some("token-1"));
}

/// R-JWS-35: a bad signature is reported before anything that the token says.
#[tokio::test]
async fn nothing_is_believed_before_the_signature_holds() {
    #[derive(serde::Deserialize)]
    struct Tenant {
        #[expect(dead_code, reason = "only has to be there")]
        tenant: u64,
    }
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier_with::<Tenant>());
    let forged = issuer.token().foreign_key().claim("tenant", 1);
    for (case, token) in [
        ("good claims", forged.clone()),
        ("expired", forged.clone().expired()),
        ("not yet valid", forged.clone().not_yet_valid()),
        ("wrong audience", forged.clone().wrong_audience()),
        ("wrong issuer", forged.clone().wrong_issuer()),
        ("wrong type", forged.clone().wrong_type()),
        ("mistyped", forged.clone().claim("exp", "soon")),
        ("unfit", forged.clone().claim("tenant", "x")),
        ("bound", forged.claim("cnf", serde_json::json!({"jkt": "x"}))),
    ] {
        protected.refuses(&token.foreign_key().sign(), Kind::BadSignature, case).await;
    }
    protected.refuses(&issuer.token().tampered().sign(), Kind::BadSignature, "tampered").await;
    for event in protected.events.all() {
        let tower_bearer::event::AuthEvent::Refused { caller, .. } = event else { panic!() };
        assert!(caller.is_none());
    }
}

/// R-JWS-35, R-JWT-11
#[test]
fn an_issuer_that_is_not_configured_is_refused_before_any_key_is_looked_at() {
    let (first, second) = (TestIssuer::named("https://a.test", Algorithm::Es256), issuer());
    let verifier = Verifier::builder()
        .issuer(first.trusted())
        .issuer(second.trusted())
        .clock(clock())
        .build()
        .unwrap();
    let token = second.token().wrong_issuer();
    assert_eq!(refusal(&verifier, &token.clone().sign()), Kind::UnknownIssuer);
    // The kid is not looked up: the issuer is the first thing that is wrong.
    assert_eq!(refusal(&verifier, &token.unknown_key().sign()), Kind::UnknownIssuer);
}

/// R-JWS-37
#[test]
fn two_signatures_of_the_same_input_both_verify() {
    for algorithm in [Algorithm::Es256, Algorithm::Ps256, Algorithm::EdDsa, Algorithm::Hs256] {
        let issuer = issuer_with(algorithm);
        let (first, second) = (issuer.token().sign(), issuer.token().sign());
        assert_eq!(split_signature(&first).0, split_signature(&second).0);
        assert!(issuer.verifier().verify_now(&first).is_ok(), "{algorithm}");
        assert!(issuer.verifier().verify_now(&second).is_ok(), "{algorithm}");
    }
}

/// R-JWS-40: an issuer is for ES256 unless another algorithm is chosen, and its tokens and its key
/// document say the name of the one that signs.
#[test]
fn tokens_and_keys_name_the_algorithm_that_signs() {
    assert_eq!(TestIssuer::new().algorithm(), Algorithm::Es256);
    for (algorithm, name) in [
        (Algorithm::Es256, "ES256"),
        (Algorithm::Es384, "ES384"),
        (Algorithm::EdDsa, "EdDSA"),
        (Algorithm::Rs256, "RS256"),
        (Algorithm::Ps256, "PS256"),
    ] {
        let issuer = issuer_with(algorithm);
        let token = issuer.token().sign();
        let header: serde_json::Value =
            serde_json::from_slice(&decode(token.split('.').next().unwrap())).unwrap();
        let jwks: serde_json::Value = serde_json::from_str(&issuer.jwks()).unwrap();
        assert_eq!((&header["alg"], &jwks["keys"][0]["alg"]), (&name.into(), &name.into()));
        assert!(issuer.verifier().verify_now(&token).is_ok(), "{name}");
    }
}

/// R-JWS-39
#[test]
fn the_test_issuer_says_kid_and_typ_and_gives_no_key_away() {
    let issuer = issuer();
    let token = issuer.token().sign();
    let header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&decode(token.split('.').next().unwrap())).unwrap();
    assert_eq!(header.keys().collect::<Vec<_>>(), ["alg", "kid", "typ"]);

    let jwks: serde_json::Value = serde_json::from_str(&issuer.jwks()).unwrap();
    let key = jwks["keys"][0].as_object().unwrap();
    assert_eq!(key.keys().collect::<Vec<_>>(), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert_eq!(issuer_with(Algorithm::Hs256).jwks(), r#"{"keys":[]}"#);
}

/// A header that is remembered from a good token says nothing about the next token: a bad one
/// with the same header is refused before, between and after good ones.
#[tokio::test]
async fn a_header_seen_before_does_not_let_a_bad_token_in() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let good = issuer.token().sign();
    let bad = [
        (issuer.token().foreign_key().sign(), Kind::BadSignature),
        (issuer.token().tampered().sign(), Kind::BadSignature),
        (format!("{}.", split_signature(&good).0), Kind::BadSignature),
        (issuer.token().wrong_audience().sign(), Kind::WrongAudience),
        (issuer.token().expired().sign(), Kind::Expired),
    ];
    for round in 0..3 {
        for (token, reason) in &bad {
            assert_eq!(token.split('.').next(), good.split('.').next(), "the same header");
            protected.refuses(token, *reason, &format!("round {round}")).await;
        }
        protected.accepts(&good, &format!("round {round}")).await;
    }
    assert_eq!(protected.calls(), 3);
}

/// A header is remembered once for all issuers, and each issuer's own keys and algorithms are
/// asked all the same.
#[test]
fn a_header_seen_from_one_issuer_does_not_open_another() {
    let first = TestIssuer::named("https://a.test", Algorithm::Es256)
        .with_clock(tower_bearer::test_util::FrozenClock::at(NOW));
    let second = TestIssuer::named("https://b.test", Algorithm::Es384)
        .with_clock(tower_bearer::test_util::FrozenClock::at(NOW));
    let verifier = Verifier::builder()
        .issuer(first.trusted())
        .issuer(second.trusted())
        .clock(clock())
        .build()
        .unwrap();
    let in_the_name_of_second = first.token().claim("iss", second.name()).sign();
    for _ in 0..2 {
        assert!(verifier.verify_now(&first.token().sign()).is_ok());
        assert_eq!(refusal(&verifier, &in_the_name_of_second), Kind::AlgorithmNotAllowed);
        assert!(verifier.verify_now(&second.token().sign()).is_ok());
    }
}

/// A header that differs in every token is read every time, and the memo of headers stays bounded
/// and right.
#[test]
fn more_headers_than_are_remembered_change_nothing() {
    let (issuer, verifier) = hs256();
    let claims = claims_text(&issuer, &[]);
    let header = |number: usize, typ: &str| {
        format!(r#"{{"alg":"HS256","kid":"test-key","typ":"{typ}","n":{number}}}"#)
    };
    for round in 0..2 {
        for number in 0..1500 {
            let good = verifier.verify_now(&signed(header(number, "at+jwt"), &claims));
            assert!(good.is_ok(), "round {round}, header {number}");
        }
        for number in 0..50 {
            let token = signed(header(number, "JWT"), &claims);
            assert_eq!(refusal(&verifier, &token), Kind::WrongTokenType);
        }
    }
}

/// Every prefix of a token, and every token with one bit changed, is refused without a panic.
#[test]
fn no_damaged_token_is_accepted() {
    let issuer = issuer();
    let verifier = issuer.verifier();
    let good = issuer.token().sign();
    for end in 0..good.len() {
        assert!(verifier.verify_now(&good[..end]).is_err(), "cut at {end}");
    }
    for bit in 0..good.len() * 7 {
        let mut bytes = good.clone().into_bytes();
        bytes[bit / 7] ^= 1 << (bit % 7);
        let damaged = String::from_utf8(bytes).unwrap();
        assert!(verifier.verify_now(&damaged).is_err(), "bit {bit}: {damaged}");
    }
    assert!(verifier.verify_now(&good).is_ok());
}

/// R-TRANS-15: one byte more than the limit is refused whatever the token is.
#[test]
fn the_size_is_checked_before_anything_else() {
    let issuer = issuer();
    let token = issuer.token().sign();
    let with_limit = |limit| {
        let builder = Verifier::builder().issuer(issuer.trusted()).clock(clock());
        builder.max_token_len(limit).build().unwrap()
    };
    assert!(with_limit(token.len()).verify_now(&token).is_ok());
    assert_eq!(refusal(&with_limit(token.len() - 1), &token), Kind::TokenTooLong);
    let verifier = issuer.verifier();
    assert_eq!(refusal(&verifier, &"x".repeat(8192)), Kind::Malformed);
    assert_eq!(refusal(&verifier, &"x".repeat(8193)), Kind::TokenTooLong);
    assert_eq!(refusal(&verifier, &issuer.token().oversized().sign()), Kind::TokenTooLong);
}

/// R-JWS-27: the salt is as long as the hash, and no other salt length is accepted.
#[cfg(feature = "rust-crypto")]
#[test]
fn a_pss_salt_of_another_length_is_refused() {
    use rsa::{
        pss::SigningKey,
        rand_core::OsRng,
        signature::{RandomizedSigner, SignatureEncoding},
        traits::PublicKeyParts,
    };
    use sha2::Sha256;

    let private = rsa::RsaPrivateKey::new(&mut OsRng, 2048).unwrap();
    let (n, e) = (encode(private.n().to_bytes_be()), encode(private.e().to_bytes_be()));
    let jwk = format!(r#"{{"kty":"RSA","alg":"PS256","n":"{n}","e":"{e}"}}"#);
    let key = VerifyingKey::from_jwk(&jwk).unwrap();
    let signature = |salt: usize| {
        let key = SigningKey::<Sha256>::new_with_salt_len(private.clone(), salt);
        key.sign_with_rng(&mut OsRng, b"message").to_vec()
    };
    for backend in crate::backends::all() {
        let verify = |salt: usize| {
            raw::verify_signature(backend, &key, Algorithm::Ps256, b"message", &signature(salt))
        };
        assert!(verify(32), "{backend:?}");
        for salt in [0, 20, 31, 33, 48, 64, 222] {
            assert!(!verify(salt), "{backend:?}: a salt of {salt} bytes");
        }
    }
}

/// An RSA signature has exactly as many bytes as the modulus.
#[tokio::test]
async fn an_rsa_signature_has_the_length_of_the_modulus() {
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
        let issuer = issuer_with(algorithm);
        let good = issuer.token().sign();
        let wrong = [
            ("one", [vec![0; 255], vec![1]].concat()),
            ("longer than any", vec![1; 1025]),
            ("much longer", vec![1; 3000]),
        ];
        assert_only_the_right_one_holds(&issuer, &good, &wrong).await;
    }
}

/// R-JWS-21: an odd `kid` costs nothing and opens nothing; the clock and the leeway play no part.
#[test]
fn the_order_of_refusals_is_the_order_of_the_work() {
    let issuer = issuer();
    let verifier = Verifier::builder()
        .issuer(issuer.trusted().leeway(Duration::ZERO))
        .clock(clock())
        .build()
        .unwrap();
    // Everything is wrong with this token; what is found first needs the least work.
    let token = issuer.token().expired().wrong_audience().wrong_type().foreign_key();
    let steps = [
        (token.clone().header("crit", serde_json::json!(["x"])), Kind::UnsupportedHeader),
        (token.clone().header("alg", "HS256").unknown_key(), Kind::AlgorithmNotAllowed),
        (token.clone().unknown_key(), Kind::UnknownKey),
        (token, Kind::BadSignature),
    ];
    for (token, reason) in steps {
        assert_eq!(refusal(&verifier, &token.sign()), reason);
    }
}

/// The order of the base point of Ed25519, little-endian.
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A little-endian number modulo [`ED25519_ORDER`], bit by bit.
fn reduced(number: &[u8]) -> [u8; 32] {
    let mut rest = [0_u8; 32];
    for bit in (0..number.len() * 8).rev() {
        let mut carry = number[bit / 8] >> (bit % 8) & 1;
        for byte in &mut rest {
            let next = *byte >> 7;
            *byte = *byte << 1 | carry;
            carry = next;
        }
        if rest.iter().rev().ge(ED25519_ORDER.iter().rev()) {
            let mut borrow = 0;
            for (byte, order) in rest.iter_mut().zip(ED25519_ORDER) {
                let difference = i16::from(*byte) - i16::from(order) - borrow;
                borrow = i16::from(difference < 0);
                *byte = difference.rem_euclid(256) as u8;
            }
        }
    }
    rest
}

#[cfg(feature = "aws-lc-rs")]
fn sha512(data: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, data).as_ref().to_vec()
}

#[cfg(not(feature = "aws-lc-rs"))]
fn sha512(data: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha512::digest(data).to_vec()
}

/// The order of the group of P-256 or P-384, big-endian.
fn order_of(algorithm: Algorithm) -> Vec<u8> {
    let digits = match algorithm {
        Algorithm::Es384 => {
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"
        }
        _ => "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    };
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// A good token is refused with each of these signatures in place of its own, and with those that
/// are wrong for every algorithm; it is let through with its own.
async fn assert_only_the_right_one_holds(
    issuer: &TestIssuer,
    good: &str,
    wrong: &[(&str, Vec<u8>)],
) {
    let protected = Protected::by(issuer.verifier());
    let (input, signature) = split_signature(good);
    let always_wrong = [
        ("the first byte missing", signature[1..].to_vec()),
        ("the last byte missing", signature[..signature.len() - 1].to_vec()),
        ("a zero before", [&[0], &signature[..]].concat()),
        ("a zero after", [&signature[..], &[0]].concat()),
        ("all zeros", vec![0; signature.len()]),
        ("all ones", vec![0xff; signature.len()]),
    ];
    for (case, wrong) in always_wrong.iter().chain(wrong) {
        let case = format!("{}: {case}", issuer.algorithm());
        protected.refuses(&with_signature(input, wrong), Kind::BadSignature, &case).await;
    }
    protected.accepts(good, issuer.algorithm().name()).await;
}

/// A token whose signature is an HS256 tag under one of these secrets is refused, whether it says
/// so or claims the issuer's own algorithm.
async fn assert_no_secret_signs(
    issuer: &TestIssuer,
    protected: &Protected<Verifier>,
    secrets: &[Vec<u8>],
) {
    let algorithm = issuer.algorithm().name();
    for (alg, reason) in [("HS256", Kind::AlgorithmNotAllowed), (algorithm, Kind::BadSignature)] {
        let token = issuer.token().header("alg", alg).sign();
        let (input, _) = split_signature(&token);
        for (number, secret) in secrets.iter().enumerate() {
            let token = with_signature(input, &hs256_tag(secret, input));
            let case = format!("{alg}, {algorithm} secret {number}");
            protected.refuses(&token, reason, &case).await;
        }
    }
}
