use axum::{Router, routing::get};
use tower_bearer::{
    Authenticated, RequireScope, Scoped, scope,
    scope::{AnyOf, Requirement},
};

tower_bearer::scopes! {
    pub Read = "reports:read";
    pub Write = "reports:write";
}

struct User;

async fn one(_: Scoped<Read, User>) {}
async fn all(_: Scoped<(Read, Write)>, _body: String) {}
async fn any(_: Scoped<AnyOf<(Read, Write)>>) {}
async fn anybody(_: Option<Authenticated<User>>) {}

fn main() {
    let nested = Requirement::any([scope!("a").into(), Requirement::all([scope!("b")])]);
    let _: Router = Router::new()
        .route("/one", get(one))
        .route("/all", get(all))
        .route("/any", get(any))
        .route("/anybody", get(anybody).layer(RequireScope::new(nested)));
}
