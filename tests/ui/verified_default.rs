//! Only a verifier makes a `Verified`.

use tower_bearer::Verified;

fn main() {
    let _: Verified<()> = Default::default();
}
