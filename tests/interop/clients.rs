//! The issuing side, as OAuth clients meet it that this project did not write: `oauth4webapi` with `jose` for Node.js,
//! `authlib` with `joserfc` for Python. `tests/run` installs them.

use std::process::Command;

use serde_json::{Value, json};
use tower_bearer::Algorithm;

use crate::{
    installed,
    service::{AUDIENCE, CHOSEN_SECRET, Service},
};

/// Found by their metadata, with each kind of key.
#[tokio::test]
async fn clients_of_node_get_refresh_and_revoke_tokens() {
    if !installed::has_node() {
        return;
    }
    meet(|| {
        let mut client = Command::new(installed::node());
        client.arg(installed::file("oauth4webapi_client.mjs"));
        client
    })
    .await;
}

/// Found by their metadata, with each kind of key.
#[tokio::test]
async fn clients_of_python_get_refresh_and_revoke_tokens() {
    if !installed::has_python() {
        return;
    }
    meet(|| {
        let mut client = Command::new(installed::python());
        client.arg(installed::file("authlib_client.py"));
        client
    })
    .await;
}

async fn meet(client: impl Fn() -> Command) {
    for (algorithm, path) in
        [(Algorithm::Es256, ""), (Algorithm::EdDsa, "/tenants/one"), (Algorithm::Rs256, "")]
    {
        let service = Service::start(algorithm, path).await;
        let told = run(client(), &service, algorithm).await;
        let issuer = service.issuer.as_str();
        assert_eq!(told["metadata"], metadata(issuer));
        for method in METHODS {
            assert_done(&told["done"][method], &done(&service), method, algorithm);
        }
        assert_eq!(told["header"]["alg"], algorithm.name());
        assert_eq!(told["header"]["typ"], "at+jwt");
        let claims = &told["claims"];
        let id = service.client.id.as_str();
        assert_eq!(
            [&claims["iss"], &claims["aud"], &claims["sub"], &claims["client_id"]],
            [issuer, AUDIENCE, id, id]
        );
        assert_eq!(claims["scope"], "reports:read reports:write");
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 600);
    }
}

#[track_caller]
fn assert_done(told: &Value, expected: &Value, method: &str, algorithm: Algorithm) {
    for (step, expected) in expected.as_object().unwrap() {
        assert_eq!(told[step], *expected, "{step}, {method}, {}", algorithm.name());
    }
    assert_eq!(told, expected, "steps that nobody expects");
}

/// What the client prints. It knows the service by what is in its environment.
async fn run(mut client: Command, service: &Service, algorithm: Algorithm) -> Value {
    client
        .env("ISSUER", &service.issuer)
        .env("AUDIENCE", AUDIENCE)
        .env("API", &service.api)
        .env("ALGORITHM", algorithm.name())
        .env("CLIENT_ID", &service.client.id)
        .env("CLIENT_SECRET", service.client.secret.expose())
        .env("CHOSEN_SECRET", CHOSEN_SECRET)
        .env("RESOURCE_SERVER_ID", &service.resource_server.id)
        .env("RESOURCE_SERVER_SECRET", service.resource_server.secret.expose());
    // The service runs meanwhile.
    let output = tokio::task::spawn_blocking(move || client.output()).await.unwrap();
    let output = output.expect("the client runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", algorithm.name());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"))
}

const METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "scopes_supported": ["reports:read", "reports:write"],
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials", "refresh_token"],
        "token_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint": format!("{issuer}/oauth2/revoke"),
        "revocation_endpoint_auth_methods_supported": METHODS,
        "introspection_endpoint": format!("{issuer}/oauth2/introspect"),
        "introspection_endpoint_auth_methods_supported": METHODS,
    })
}

/// What comes of all that a client does, whichever way it authenticates.
fn done(service: &Service) -> Value {
    let active = |scope: &str| {
        json!({
            "client_id": service.client.id,
            "iss": service.issuer,
            "scope": scope,
            "token_type": "Bearer",
        })
    };
    json!({
        "granted": ["Bearer", 600, "reports:read reports:write"],
        "narrowed": "reports:write",
        // All scopes, the wrong one, no token.
        "api": [200, 403, 401],
        "introspected": active("reports:read"),
        "introspected_by_owner": active("reports:read reports:write"),

        "refreshed": 200,
        "rotated": true,
        "repeated": true,
        "narrowed_by_refresh": "reports:read",
        "replayed": "invalid_grant",
        "current_after_replay": "invalid_grant",
        "api_after_replay": [401, 401, 401],

        "revoked_access_token": 200,
        "api_after_refresh": 200,
        "revoked_refresh_token": 200,
        "refreshed_after_revocation": "invalid_grant",
        "api_after_revocation": [401, 401],
        "introspected_after_revocation": { "active": false },
        "revoked_nonsense": 200,

        "refused": {
            "wrong_secret": "invalid_client",
            "scope": "invalid_scope",
            "resource": "invalid_target",
            "grant_type": "unsupported_grant_type",
            "no_refresh_tokens": "unauthorized_client",
            "other_client": { "active": false },
        },
        "without_refresh_tokens": true,
        "chosen_secret": "reports:read reports:write",
    })
}
