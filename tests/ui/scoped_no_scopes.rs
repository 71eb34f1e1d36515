//! What stands in `Scoped` must name scopes, and the message says how to declare them.

use tower_bearer::Scoped;

async fn handler(_: Scoped<u32>) {}

fn main() {
    let _ = handler;
}
