//! What the issuing side costs through its endpoints: in the process by itself, and over HTTP with many
//! clients at once, beside the bare signature and the bare write that it cannot do without.
//!
//! ```text
//! cargo bench --features full,test-util --bench issuing
//! cargo bench --features full,test-util --bench issuing -- process   # groups with this in the name
//! cargo bench --features full,test-util --bench issuing -- --smoke
//! ```
//!
//! `TOWER_BEARER_BENCH_POSTGRES=postgres://...` measures the store of that database, too.
//!
//! Everything is measured in turns, so that a slow moment of the machine hits all of it.

#![expect(clippy::expect_used, reason = "a benchmark has no readers of its API")]

#[path = "issuing/bare.rs"]
mod bare;
#[path = "issuing/clients.rs"]
mod clients;
#[path = "shared/compare.rs"]
mod compare;
#[cfg(feature = "postgres")]
#[path = "issuing/database.rs"]
mod database;
#[path = "issuing/feed.rs"]
mod feed;
#[cfg(all(feature = "postgres", feature = "remote-keys"))]
#[path = "issuing/fleet.rs"]
mod fleet;
#[path = "issuing/load.rs"]
mod load;
#[path = "issuing/process.rs"]
mod process;
#[path = "shared/mod.rs"]
#[expect(dead_code, reason = "requests without a body are for another benchmark")]
mod shared;
#[path = "issuing/watched.rs"]
mod watched;
#[path = "issuing/world.rs"]
mod world;

use std::path::PathBuf;

use crate::shared::Options;

fn main() {
    let options = Options::from_arguments();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(process::access(&options));
    if options.wants("process") {
        let world = runtime.block_on(process::world());
        process::cheap(&options, &runtime, &world);
        process::dear(&options, &runtime, &world);
    }
    if options.shows("feed") {
        runtime.block_on(feed::run(&options));
    }
    #[cfg(feature = "postgres")]
    if options.shows("database") {
        runtime.block_on(database::run(&options));
    }
    #[cfg(all(feature = "postgres", feature = "remote-keys"))]
    if options.shows("fleet") {
        runtime.block_on(fleet::run(&options));
    }
    if options.shows("load") {
        let folder = Folder::new();
        runtime.block_on(load::run(&options, &folder.0));
    }
}

/// A folder of this run, on the disk where the build is.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("issuing-{}", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
