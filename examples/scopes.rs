//! All the ways to ask for scopes: `cargo run --example scopes`
//!
//! As types in a handler's signature (one, all of, any of), as a layer around a route (nested, or
//! read from configuration), and as a check inside a handler. The issuer's table says that `admin`
//! and `docs:*` imply other scopes; nothing is ever guessed from their spelling.
//!
//! Prints what each token may do, and which scopes a refusal asks for.

use axum::{Router, body::Body, extract::Path, routing::get};
use tower::ServiceExt;
use tower_bearer::{
    AuthError, AuthLayer, Authenticated, RequireScope, Scoped, Verifier, scope,
    scope::{AnyOf, Requirement, ScopeToken},
    test_util::{self, TestIssuer},
};

tower_bearer::scopes! {
    DocsRead = "docs:read";
    DocsWrite = "docs:write";
    DocsDelete = "docs:delete";
    Admin = "admin";
}

async fn read(_auth: Scoped<DocsRead>) {}
async fn publish(_auth: Scoped<(DocsRead, DocsWrite)>) {}
async fn delete(_auth: Scoped<AnyOf<(DocsDelete, Admin)>>) {}

/// The scope depends on the request, so no type can name it.
async fn shelf(Path(shelf): Path<String>, auth: Authenticated) -> Result<String, AuthError> {
    let scope = ScopeToken::new(format!("shelf:{shelf}"));
    auth.require(&scope.map_or_else(|_| Requirement::deny(), Requirement::from))?;
    Ok(shelf)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = TestIssuer::new();
    let trusted = issuer
        .trusted()
        .implies(scope!("admin"), [scope!("docs:*")])
        .implies(scope!("docs:*"), [scope!("docs:read"), scope!("docs:write")]);
    let verifier = Verifier::builder().issuer(trusted).build()?;

    let editor = Requirement::all([scope!("docs:read"), scope!("docs:write")]);
    let nested = Requirement::any([editor, scope!("admin").into()]);
    let configured = Requirement::parse("docs:read audit:read | admin")?;
    let app = Router::new()
        .route("/read", get(read))
        .route("/publish", get(publish))
        .route("/delete", get(delete))
        .route("/nested", get(async || ()).layer(RequireScope::new(nested)))
        .route("/configured", get(async || ()).layer(RequireScope::new(configured)))
        .route("/shelf/{shelf}", get(shelf))
        .layer(AuthLayer::new(verifier));

    for granted in ["docs:read", "docs:read docs:write", "docs:*", "admin", "shelf:7 audit:read"] {
        println!("a token with {granted:?}");
        let token = issuer.token().scope(granted).sign();
        for path in ["/read", "/publish", "/delete", "/nested", "/configured", "/shelf/7"] {
            let response = app.clone().oneshot(test_util::get::<Body>(path, &token)).await?;
            let needed = response.extensions().get::<AuthError>().and_then(AuthError::scope);
            let needed = needed.map(|scope| format!(", needs {scope:?}")).unwrap_or_default();
            println!("  {:<11} {}{needed}", path, response.status().as_u16());
        }
    }
    Ok(())
}
