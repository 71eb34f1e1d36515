//! Checked even if no handler uses the scope.

tower_bearer::scopes! { pub Quoted = "say \"x\""; }

fn main() {}
