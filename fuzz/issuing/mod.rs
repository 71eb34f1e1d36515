//! What the fuzz targets of the issuing side do with their input, as in `../targets.rs`. All goes
//! through the endpoints; a refusal is one of the known ones to the last byte.
//!
//! What a server makes at random cannot be in an input: `$ID`, `$SECRET` (`$CODED`: each byte of it
//! as `%xx`), `$ACCESS`, `$REFRESH` and `$OAUTH` stand for it, `$OTHER` and `$THEIRS` for the secret
//! and a refresh token of another application.

mod world;

use base64_simd::STANDARD;
use http::{HeaderName, HeaderValue, header};

use self::world::{AUTHENTICATE, Answer, REFRESH, World, form, json};

const REVOKE: &str = "/api/Auth/revokeApplicationToken";

/// A body at the three endpoints of OAuth.
pub(crate) fn form_body(data: &[u8]) -> bool {
    let world = World::new();
    let body = world.filled(data);
    let said = Pairs::of(&body);
    let [granted, explained, revoked] = ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"]
        .map(|path| world.send(form(path, body.clone())));
    for answer in [&granted, &explained, &revoked] {
        assert_oauth(&world, answer);
        let is_client = said.only("client_id") == Some(world.id.as_bytes())
            && said.only("client_secret") == Some(world.secret.as_bytes());
        assert!(is_client || [400, 401, 413].contains(&answer.status), "{answer:?}");
    }
    if granted.status == 200 {
        assert_pair(&world, &granted, ["access_token", "refresh_token"]);
        let token = said.only("refresh_token");
        assert!(match said.only("grant_type") {
            Some(b"client_credentials") => true,
            Some(b"refresh_token") => token == Some(world.oauth_refresh.as_bytes()),
            _ => false,
        });
    }
    let token = said.only("token").unwrap_or_default();
    let tokens = [&world.access, &world.refresh, &world.oauth_refresh];
    let is_ours = tokens.iter().any(|real| real.as_bytes() == token);
    if explained.status == 200 {
        let is_active = explained.json()["active"] == true;
        assert!(is_ours || !is_active, "{explained:?}");
        assert!(is_active || explained.text == r#"{"active":false}"#);
    }
    if revoked.status == 200 {
        assert!(revoked.text.is_empty() && !token.is_empty());
        assert_ne!(token, world.other[1].as_bytes(), "it is not theirs to revoke");
    }
    let is_done = [granted, explained, revoked].iter().any(|answer| answer.status == 200);
    if !is_done {
        world.assert_unharmed();
    }
    is_done
}

/// The lines of the `Authorization` header at the token endpoint; of a line that begins with
/// `plain ` the rest is sent as Basic.
pub(crate) fn basic_header(data: &[u8]) -> bool {
    let world = World::new();
    let mut pairs = Vec::new();
    let mut request = form("/oauth2/token", "grant_type=client_credentials".into());
    for line in data.split(|byte| *byte == b'\n').take(3) {
        let line = world.filled(line);
        let line = match line.strip_prefix(b"plain ") {
            Some(pair) => format!("Basic {}", STANDARD.encode_to_string(pair)).into_bytes(),
            None => line,
        };
        let Ok(value) = HeaderValue::from_bytes(&line) else {
            return false;
        };
        request.headers_mut().append(header::AUTHORIZATION, value);
        let encoded = line.get(5..).unwrap_or_default().trim_ascii();
        pairs.push(STANDARD.decode_to_vec(encoded).unwrap_or_default());
    }
    let answer = world.send(request);
    assert_oauth(&world, &answer);
    let is_granted = answer.status == 200;
    match &pairs[..] {
        [pair] => {
            let mut sides = pair.splitn(2, |byte| *byte == b':').map(decoded);
            let is_real = sides.next().as_deref() == Some(world.id.as_bytes())
                && sides.next().as_deref() == Some(world.secret.as_bytes());
            assert!(is_real || answer.status == 401, "{answer:?}");
        }
        // Several lines are never looked into.
        _ => assert_eq!((answer.status, &*answer.text), (400, r#"{"error":"invalid_request"}"#)),
    }
    match is_granted {
        true => assert_pair(&world, &answer, ["access_token", "refresh_token"]),
        false => world.assert_unharmed(),
    }
    is_granted
}

/// A body at the three endpoints of the product.
pub(crate) fn product_body(data: &[u8]) -> bool {
    let world = World::new();
    let body = world.filled(data);
    let lookups = world.family_lookups();
    let [granted, refreshed, revoked] =
        [AUTHENTICATE, REFRESH, REVOKE].map(|path| world.send(json(path, body.clone())));
    assert_product(&world, &granted, Some(r#"ApplicationSecret realm="token""#));
    assert_product(&world, &refreshed, Some(r#"RefreshToken realm="token""#));
    assert_product(&world, &revoked, None);

    let said = |member: &str| {
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        body[member].as_str().unwrap_or_default().to_owned()
    };
    if granted.status == 200 {
        assert_pair(&world, &granted, ["accessToken", "refreshToken"]);
        let secret = match &*said("applicationName") {
            "App1" => &world.secret,
            "App2" => &world.other[0],
            name => panic!("{name:?} is no application"),
        };
        assert_eq!(said("applicationSecret"), *secret);
    }
    if refreshed.status == 200 {
        assert_pair(&world, &refreshed, ["accessToken", "refreshToken"]);
        assert_eq!(said("refreshToken"), world.refresh);
    }
    if revoked.status == 200 {
        assert_eq!(revoked.text, "{}");
    }
    let tokens = [&world.access, &world.refresh, &world.oauth_refresh];
    let is_real =
        ["accessToken", "refreshToken"].into_iter().any(|member| tokens.contains(&&said(member)));
    if !is_real {
        assert_eq!(world.family_lookups(), lookups, "nothing is looked up for a forged token");
        world.assert_unharmed();
    }
    granted.status == 200 || refreshed.status == 200
}

/// The text as a token, and real ones that are [changed] as it says, at the endpoints of the
/// product.
///
/// There is one text for each token: whatever else would decode to the same bytes is refused too.
pub(crate) fn refresh_token(data: &[u8]) -> bool {
    let world = World::new();
    let text = String::from_utf8_lossy(data).into_owned();
    let (refresh, access) = (changed(&world.refresh, data), changed(&world.access, data));
    let lookups = world.family_lookups();
    let mut is_unchanged = false;
    for (member, token) in [
        ("refreshToken", &text),
        ("accessToken", &text),
        ("accessToken", &access),
        ("refreshToken", &access),
        ("refreshToken", &refresh),
    ] {
        if *token == world.refresh || *token == world.access {
            is_unchanged = true;
            continue;
        }
        let body = serde_json::json!({ member: token }).to_string();
        let is_long = body.len() > 16 * 1024;
        let revoked = world.send(json(REVOKE, body.clone().into()));
        assert_product(&world, &revoked, None);
        assert_eq!(revoked.status, if is_long { 413 } else { 200 });
        let refreshed = world.send(json(REFRESH, body.into()));
        assert_product(&world, &refreshed, Some(r#"RefreshToken realm="token""#));
        let refused = if member == "refreshToken" { 401 } else { 400 };
        assert_eq!(refreshed.status, if is_long { 413 } else { refused });
    }
    assert_eq!(world.family_lookups(), lookups, "nothing is looked up for a forged token");
    world.assert_unharmed();
    is_unchanged
}

/// A token, changed by each line: `f` and two bytes flip bits at a place, `s` and two bytes set a
/// character, `c` and a byte cut it off at a place, `a` and `p` put the rest of the line behind it
/// and before it. A place is counted in 256ths of the token.
fn changed(token: &str, data: &[u8]) -> String {
    let mut bytes = token.as_bytes().to_vec();
    for line in data.split(|byte| *byte == b'\n') {
        let place = |at: &u8| usize::from(*at) * bytes.len() / 256;
        match line {
            [b'f', at, bits, ..] => {
                let place = place(at);
                bytes[place..].iter_mut().take(1).for_each(|byte| *byte ^= bits);
            }
            [b's', at, byte, ..] => {
                let place = place(at);
                bytes[place..].iter_mut().take(1).for_each(|old| *old = *byte);
            }
            [b'c', at, ..] => bytes.truncate(place(at)),
            [b'a', rest @ ..] => bytes.extend(rest),
            [b'p', rest @ ..] => drop(bytes.splice(..0, rest.iter().copied())),
            _ => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What holds for every answer of OAuth.
fn assert_oauth(world: &World, answer: &Answer) {
    const KNOWN: [(u16, &str); 7] = [
        (400, r#"{"error":"invalid_request"}"#),
        (401, r#"{"error":"invalid_client"}"#),
        (400, r#"{"error":"invalid_grant"}"#),
        (400, r#"{"error":"unsupported_grant_type"}"#),
        (400, r#"{"error":"invalid_scope"}"#),
        (400, r#"{"error":"invalid_target"}"#),
        (413, r#"{"error":"invalid_request"}"#),
    ];
    assert!(answer.status == 200 || KNOWN.contains(&(answer.status, &answer.text)), "{answer:?}");
    let challenge = (answer.status == 401).then_some(r#"Basic realm="token", charset="UTF-8""#);
    let is_empty = answer.status == 200 && answer.text.is_empty();
    assert_headers(
        answer,
        &[
            (header::CACHE_CONTROL, Some("no-store")),
            (header::PRAGMA, Some("no-cache")),
            (header::CONTENT_TYPE, (!is_empty).then_some("application/json")),
            (header::WWW_AUTHENTICATE, challenge),
        ],
    );
    assert_nothing_leaks(world, answer);
}

/// What holds for every answer of the product's; where there is no challenge, there is no 401.
fn assert_product(world: &World, answer: &Answer, challenge: Option<&str>) {
    const KNOWN: [(u16, &str, &str); 4] = [
        (400, "Bad Request", "The body is not what this endpoint reads."),
        (400, "Bad Request", "The scope is not one that can be granted."),
        (401, "Unauthorized", "The credentials are not accepted."),
        (413, "Payload Too Large", "The body is longer than 16 KiB."),
    ];
    let is_known = KNOWN.iter().any(|(status, title, detail)| {
        let of_type = r#""type":"about:blank""#;
        let text =
            format!(r#"{{"detail":"{detail}","status":{status},"title":"{title}",{of_type}}}"#);
        (answer.status, &answer.text) == (*status, &text)
    });
    assert!(answer.status == 200 || is_known, "{answer:?}");
    assert!(answer.status != 401 || challenge.is_some(), "{answer:?}");
    let media_type = match answer.status {
        200 => "application/json",
        _ => "application/problem+json",
    };
    assert_headers(
        answer,
        &[
            (header::CACHE_CONTROL, Some("no-store")),
            (header::CONTENT_TYPE, Some(media_type)),
            (header::WWW_AUTHENTICATE, challenge.filter(|_| answer.status == 401)),
        ],
    );
    assert_nothing_leaks(world, answer);
}

/// These headers, and no others.
fn assert_headers(answer: &Answer, expected: &[(HeaderName, Option<&str>)]) {
    for (name, value) in expected {
        let values: Vec<_> = answer.headers.get_all(name).iter().collect();
        assert_eq!(values, value.as_slice(), "{answer:?}");
    }
    let there = expected.iter().filter(|(_, value)| value.is_some()).count();
    assert_eq!(answer.headers.len(), there, "{answer:?}");
}

/// Nothing that was handed out before is handed out again. The headers are known.
fn assert_nothing_leaks(world: &World, answer: &Answer) {
    let ours = [&world.secret, &world.access, &world.refresh, &world.oauth_refresh];
    for secret in ours.into_iter().chain(&world.other) {
        assert!(!answer.text.contains(secret.as_str()), "{answer:?}");
    }
}

/// There is an access token, and a refresh token.
fn assert_pair(world: &World, answer: &Answer, members: [&str; 2]) {
    let json = answer.json();
    let [access, refresh] = members.map(|member| json[member].as_str().expect("a token"));
    assert_eq!(access.matches('.').count(), 2);
    assert_eq!(refresh.len(), world.refresh.len());
}

/// The parameters of a form, read in another way than the library does.
struct Pairs(Vec<(Vec<u8>, Vec<u8>)>);

impl Pairs {
    fn of(body: &[u8]) -> Self {
        let pairs = body.split(|byte| *byte == b'&').map(|pair| {
            let mut sides = pair.splitn(2, |byte| *byte == b'=');
            let mut side = || decoded(sides.next().unwrap_or_default());
            (side(), side())
        });
        Self(pairs.collect())
    }

    /// The value of a parameter that stands there once.
    fn only(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.0.iter().filter(|(known, _)| known == name.as_bytes());
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let text = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte });
    let text: Vec<u8> = text.collect();
    let mut pieces = text.split(|byte| *byte == b'%');
    let mut decoded = pieces.next().unwrap_or_default().to_vec();
    for piece in pieces {
        let digits = piece.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                decoded.extend(&piece[2..]);
            }
            None => {
                decoded.push(b'%');
                decoded.extend(piece);
            }
        }
    }
    decoded
}
