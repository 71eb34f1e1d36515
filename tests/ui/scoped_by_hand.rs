//! The proof of the scopes comes from the extractor only.

use tower_bearer::{Authenticated, Scoped};

tower_bearer::scopes! { Read = "read"; }

fn forge(caller: Authenticated) -> Scoped<Read> {
    Scoped { caller, scopes: std::marker::PhantomData }
}

fn main() {
    let _ = forge;
}
