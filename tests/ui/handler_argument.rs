//! `Verified` is no argument of a handler; `Authenticated` is.

use axum::{Router, routing::get};
use tower_bearer::Verified;

async fn handler(_: Verified<()>) {}

fn main() {
    let _: Router = Router::new().route("/", get(handler));
}
