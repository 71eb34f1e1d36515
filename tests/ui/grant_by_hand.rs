//! A `Grant` is part of a verified token.

use tower_bearer::Grant;

fn main() {
    let _ = Grant {};
    let _ = Grant::default();
}
