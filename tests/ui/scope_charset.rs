//! A scope token has no space in it.

fn main() {
    let _ = tower_bearer::scope!("reports read");
}
