//! What a layer leaves in a request comes from a `Verified` only.

use tower_bearer::{AuthContext, Verified};

fn main() {
    let _: Verified<()> = ().into();
    let _ = AuthContext(None);
}
