//! A server or endpoints that are described wrongly.

use std::time::Duration;

use tower_bearer::{
    Algorithm,
    issue::{AuthorizationServer, FindSource, ServerBuilder, Throttle, endpoints::Endpoints},
    store::Memory,
};

use super::world::{ISSUER, World, keys};

fn builder() -> ServerBuilder {
    AuthorizationServer::builder(Memory::new()).issuer(ISSUER).keys(keys())
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// I-AT-09
#[tokio::test]
async fn a_mistake_is_named_with_its_remedy() {
    let day = 24 * 3600;
    for (server, said) in [
        (
            AuthorizationServer::builder(Memory::new()).keys(keys()),
            "no issuer identifier: name it with",
        ),
        (
            AuthorizationServer::builder(Memory::new()).issuer(ISSUER),
            "no keys of its own: give it some",
        ),
        (builder().issuer("id.test"), "issuer \"id.test\": use an https URL"),
        (builder().issuer("http://id.test"), "issuer \"http://id.test\": use an https URL"),
        (builder().issuer("https://id.test?a=b"), "use an https URL without query"),
        (builder().issuer("https://id.test#a"), "use an https URL without query"),
        (
            builder().access_lifetime(secs(7200)),
            "access_lifetime must be between 30 and 3600, not 7200",
        ),
        (builder().access_lifetime(secs(0)), "access_lifetime must be between 30 and 3600, not 0"),
        (
            builder().refresh_lifetime(secs(60), secs(59)),
            "refresh_lifetime (absolute) must be between 60",
        ),
        (
            builder().refresh_lifetime(secs(61), secs(60)),
            "refresh_lifetime (idle) must be between 60 and 60, not 61",
        ),
        (builder().refresh_grace(secs(61)), "refresh_grace must be between 0 and 60, not 61"),
        (builder().max_families(0), "max_families must be between 1 and 10000, not 0"),
        (builder().secret_prefix("Tbs"), "secret_prefix \"Tbs\": use 2 to 16 lower-case letters"),
        (builder().secret_prefix("a_b"), "secret_prefix \"a_b\""),
        (builder().secret_lifetime(secs(1)), "secret_lifetime must be between 3600"),
        (
            builder().key_rotation(secs(day), secs(299)),
            "key_rotation (publish_ahead) must be between 300",
        ),
        (
            builder().key_rotation(secs(day), secs(day)),
            "key_rotation (every) must be between 172800",
        ),
        (
            builder().key_rotation(secs(day), secs(u64::MAX)),
            "key_rotation (publish_ahead) must be between 300",
        ),
        (
            builder().refresh_grace(Duration::from_millis(59_900)),
            "refresh_grace must be whole seconds, not 59.9s: leave the fraction out",
        ),
        (
            builder().access_lifetime(Duration::from_millis(59_900)),
            "access_lifetime must be whole seconds, not 59.9s: leave the fraction out",
        ),
        (
            builder().refresh_lifetime(secs(60), Duration::from_millis(60_001)),
            "refresh_lifetime (absolute) must be whole seconds, not 60.001s",
        ),
        (
            builder().refresh_lifetime(Duration::from_millis(60_001), secs(90)),
            "refresh_lifetime (idle) must be whole seconds, not 60.001s",
        ),
        (
            builder().secret_lifetime(secs(day) + Duration::from_nanos(1)),
            "secret_lifetime must be whole seconds, not 86400.000000001s",
        ),
        (
            builder().key_rotation(secs(day), Duration::from_millis(300_500)),
            "key_rotation (publish_ahead) must be whole seconds, not 300.5s",
        ),
        (
            builder().key_rotation(Duration::from_millis(86_400_500), secs(300)),
            "key_rotation (every) must be whole seconds, not 86400.5s",
        ),
        (
            builder().throttle(Throttle::default().with_max_backoff(Duration::from_millis(60_500))),
            "max_backoff must be whole seconds, not 60.5s: leave the fraction out",
        ),
        (
            builder()
                .throttle(Throttle::default().with_known_good_for(Duration::from_millis(60_500))),
            "known_good_for must be whole seconds, not 60.5s",
        ),
        (
            builder().throttle(
                Throttle::default().with_source_failures(1, Duration::from_millis(1_500)),
            ),
            "source_failures one more every must be whole seconds, not 1.5s",
        ),
        (
            builder().throttle(Throttle::default().with_max_entries(1)),
            "max_entries must be between 100",
        ),
    ] {
        let error = server.open().await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    for good in [
        builder().issuer("http://127.0.0.1:8080"),
        builder().issuer("https://id.test/"),
        builder().issuer("https://id.test/a/b"),
        builder().access_lifetime(secs(3600)).refresh_grace(secs(60)),
    ] {
        assert!(good.open().await.is_ok());
    }
}

/// The crate `rsa` signs in a time that depends on the key (RUSTSEC-2023-0071).
#[cfg(feature = "rust-crypto")]
#[tokio::test]
async fn the_pure_rust_backend_does_not_sign_with_rsa() {
    use tower_bearer::Backend;
    let signing = |algorithm| builder().backend(Backend::RustCrypto).algorithm(algorithm).open();
    let error = signing(Algorithm::Rs256).await.unwrap_err().to_string();
    assert!(error.contains("RS256") && error.contains("rust-crypto"), "{error}");
    assert!(signing(Algorithm::Es512).await.is_err());
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Hs256] {
        assert!(signing(algorithm).await.is_ok(), "{algorithm}");
    }
}

#[tokio::test]
async fn endpoints_want_a_secure_base_url() {
    let world = World::new().await;
    for url in ["http://id.test", "id.test", "https://id.test?x", "https://user@id.test", ""] {
        let endpoints = Endpoints::builder(world.server.clone(), FindSource::unknown());
        let error = endpoints.base_url(url).build().unwrap_err().to_string();
        assert!(error.contains("base_url"), "{url}: {error}");
    }
}
