//! What a full cache takes.

use tower_bearer::{Verifier, verifier::CacheConfig};

use crate::{
    fixture::{Claims, Fixture},
    shared::Options,
};

/// Fills caches with more tokens than they hold, and counts the bytes that stay allocated.
pub(crate) fn of_full_caches(options: &Options, fixture: &Fixture) {
    const GROUP: &str = "HS256 memory of a full cache";
    if !options.shows(GROUP) {
        return;
    }
    println!("\n{GROUP}");
    for entries in if options.smoke { vec![64] } else { vec![1000, 10_000, 100_000] } {
        let tokens = fixture.many(2 * entries);
        let verifier = Verifier::builder().issuer(fixture.trusted(1)).claims::<Claims>();
        let bytes = 32 * 1024 * 1024 * entries.div_ceil(10_000);
        let cache = CacheConfig::new().max_entries(entries).max_bytes(bytes);
        let mut filled = None;
        let allocated = allocation_counter::measure(|| {
            let verifier = verifier.cache(cache).build().expect("a verifier");
            for token in &tokens {
                verifier.verify_now(token).expect("the token is good");
            }
            filled = Some(verifier);
        });
        let stats = filled.and_then(|verifier| verifier.cache_stats()).expect("there is a cache");
        println!(
            "  {entries:>6} at most: {} entries, {} bytes counted, {} allocated, {} per entry",
            stats.entries,
            stats.bytes,
            allocated.bytes_current,
            allocated.bytes_current / stats.entries.max(1) as i64,
        );
    }
}
