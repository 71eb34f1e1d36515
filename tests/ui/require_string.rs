//! A string is no scope: its characters were not checked.

use tower_bearer::RequireScope;

fn main() {
    let _ = RequireScope::all(["reports:read"]);
}
