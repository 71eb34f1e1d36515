//! An empty list of alternatives would never be met.

use tower_bearer::scope::{Requirement, ScopeToken};

fn main() {
    let none: [ScopeToken; 0] = [];
    let _ = Requirement::any(none);
}
