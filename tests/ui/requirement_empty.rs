//! Nobody means "always" by an empty list.

use tower_bearer::{RequireScope, scope::ScopeToken};

fn main() {
    let none: [ScopeToken; 0] = [];
    let _ = RequireScope::all(none);
}
