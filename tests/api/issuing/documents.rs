//! The key document and the metadata.

use http::Request;
use serde_json::json;
use tower_bearer::{Algorithm, key::KeySet, scope::ScopeSet};

use super::world::{Answer, World};

async fn get(world: &World, path: &str, known: Option<&str>) -> Answer {
    let mut request = Request::get(path);
    if let Some(tag) = known {
        request = request.header("if-none-match", tag);
    }
    world.send(request.body(String::new()).unwrap()).await
}

/// I-META-01, I-META-02, I-META-03, I-META-04, I-META-05, I-META-08
#[tokio::test]
async fn the_metadata_says_what_is_there_and_nothing_else() {
    let world = World::new().await;
    let answer = get(&world, "/.well-known/oauth-authorization-server", None).await;
    assert_eq!(answer.status, 200);
    let methods = json!(["client_secret_basic", "client_secret_post"]);
    let expected = json!({
        "issuer": "https://id.test",
        "token_endpoint": "https://id.test/oauth2/token",
        "jwks_uri": "https://id.test/.well-known/jwks.json",
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials", "refresh_token"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint": "https://id.test/oauth2/revoke",
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint": "https://id.test/oauth2/introspect",
        "introspection_endpoint_auth_methods_supported": methods,
    });
    assert_eq!(answer.json(), expected);
    for (name, value) in [
        ("content-type", "application/json"),
        ("cache-control", "public, max-age=3600"),
        ("access-control-allow-origin", "*"),
    ] {
        assert_eq!(answer.header(name), Some(value));
    }
    let scopes = ScopeSet::parse("b a").unwrap();
    let world = World::with_endpoints(|endpoints| endpoints.scopes_supported(scopes)).await;
    let with_scopes = get(&world, "/.well-known/oauth-authorization-server", None).await.json();
    assert_eq!(with_scopes["scopes_supported"], json!(["a", "b"]));
    assert_eq!(with_scopes.as_object().unwrap().len(), expected.as_object().unwrap().len() + 1);
}

/// I-META-07
#[tokio::test]
async fn the_metadata_of_an_issuer_with_a_path_is_at_the_root_of_the_host() {
    let store = tower_bearer::store::Memory::new();
    let world = World::over(store, |server| server.issuer("https://id.test/tenant"), |e| e).await;
    let path = "/.well-known/oauth-authorization-server/tenant";
    let metadata = get(&world, path, None).await.json();
    assert_eq!(metadata["issuer"], "https://id.test/tenant");
    assert_eq!(metadata["token_endpoint"], "https://id.test/tenant/oauth2/token");
    assert_eq!(get(&world, "/tenant/.well-known/jwks.json", None).await.status, 200);
    assert_eq!(
        get(&world, "/.well-known/oauth-authorization-server/other", None).await.status,
        404
    );
}

/// I-ROT-01, I-ROT-02, I-ROT-03
#[tokio::test]
async fn the_key_document_shows_public_members_only() {
    for (algorithm, members) in [
        (Algorithm::Es256, &["alg", "crv", "kid", "kty", "use", "x", "y"][..]),
        (Algorithm::EdDsa, &["alg", "crv", "kid", "kty", "use", "x"]),
        #[cfg(feature = "aws-lc-rs")]
        (Algorithm::Rs256, &["alg", "e", "kid", "kty", "n", "use"]),
    ] {
        let world = World::with(|server| server.algorithm(algorithm)).await;
        let answer = get(&world, "/.well-known/jwks.json", None).await;
        assert_eq!(answer.header("content-type"), Some("application/jwk-set+json"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let json = answer.json();
        let key = json["keys"][0].as_object().unwrap();
        let mut names: Vec<_> = key.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, members, "{algorithm}");
        assert_eq!(
            (key["use"].as_str(), key["alg"].as_str()),
            (Some("sig"), Some(algorithm.name()))
        );
        assert_eq!(KeySet::from_jwks(&answer.text).unwrap().len(), 1);
    }
}

/// I-ROT-08
#[cfg(feature = "aws-lc-rs")]
#[tokio::test]
async fn a_generated_rsa_key_has_3072_bits() {
    let world = World::with(|server| server.algorithm(Algorithm::Rs256)).await;
    let key = world.server.jwks();
    let key: serde_json::Value = serde_json::from_str(&key).unwrap();
    let member = |name: &str| {
        let text = key["keys"][0][name].as_str().unwrap();
        base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).unwrap()
    };
    let modulus = member("n");
    assert_eq!((modulus.len(), modulus[0] >> 7), (384, 1));
    assert_eq!(member("e"), [1, 0, 1]);
}

/// I-ROT-12
#[tokio::test]
async fn a_secret_is_in_no_key_document() {
    let world = World::with(|server| server.algorithm(Algorithm::Hs256)).await;
    assert_eq!(get(&world, "/.well-known/jwks.json", None).await.text, r#"{"keys":[]}"#);
    let access = world.authenticate().await.access();
    assert_eq!(world.call(&access).await, 200);
}

/// I-META-08, I-ROT-03
#[tokio::test]
async fn who_has_a_document_already_is_told_so() {
    let world = World::new().await;
    for path in ["/.well-known/jwks.json", "/.well-known/oauth-authorization-server"] {
        let first = get(&world, path, None).await;
        let tag = first.header("etag").unwrap().to_owned();
        assert!(tag.starts_with('"') && tag.len() > 20, "a strong one");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let answer = get(&world, path, Some(&known)).await;
            assert_eq!((answer.status, answer.text.as_str()), (304, ""), "{known}");
            assert_eq!(answer.header("etag"), Some(&*tag));
            assert_eq!(answer.header("cache-control"), first.header("cache-control"));
        }
        assert_eq!(get(&world, path, Some("\"x\"")).await.status, 200);
        let head = Request::head(path).body(String::new()).unwrap();
        assert_eq!(world.send(head).await.status, 200);
        let post = Request::post(path).body(String::new()).unwrap();
        let answer = world.send(post).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")));
    }
}
