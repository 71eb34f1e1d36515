//! Only a verifier makes a `Verified`.

use tower_bearer::{Grant, Verified};

fn forge(grant: Grant) -> Verified<()> {
    Verified::new(grant, ())
}

fn wrap<T>(record: T) -> Verified<()> {
    Verified(record)
}

fn main() {
    let _ = (forge, wrap::<()>);
}
