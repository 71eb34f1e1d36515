use std::ops::RangeInclusive;

use quick_cache::{Options, OptionsBuilder};

use crate::error::ConfigError;

/// How much a verifier remembers of the tokens that it verified.
///
/// ```
/// use tower_bearer::{Verifier, test_util::TestIssuer, verifier::CacheConfig};
///
/// let issuer = TestIssuer::new();
/// let cache = CacheConfig::new().max_entries(50_000).max_bytes(128 * 1024 * 1024);
/// let verifier = Verifier::builder().issuer(issuer.trusted()).cache(cache).build()?;
///
/// let token = issuer.token().sign();
/// assert!(verifier.verify_now(&token).is_ok());
/// assert!(verifier.verify_now(&token).is_ok());
/// let stats = verifier.cache_stats().expect("there is a cache");
/// assert_eq!((stats.misses, stats.hits, stats.entries), (1, 1, 1));
///
/// let nothing = CacheConfig::new().max_entries(0);
/// let refused = Verifier::builder().issuer(issuer.trusted()).cache(nothing).build();
/// assert!(refused.unwrap_err().to_string().contains("max_entries"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct CacheConfig {
    max_entries: usize,
    max_bytes: usize,
    pub(super) max_token_len: usize,
}

const ENTRIES: RangeInclusive<u64> = 64..=10_000_000;
const BYTES: RangeInclusive<u64> = 64 * 1024..=1 << 30;
const TOKEN_LEN: RangeInclusive<u64> = 256..=64 * 1024;

impl CacheConfig {
    /// 10 000 tokens of at most 4 KiB, in 32 MiB.
    pub fn new() -> Self {
        Self { max_entries: 10_000, max_bytes: 32 * 1024 * 1024, max_token_len: 4 * 1024 }
    }

    /// The most tokens that are remembered: 10 000 unless said otherwise, 64 to 10 000 000.
    pub fn max_entries(self, entries: usize) -> Self {
        Self { max_entries: entries, ..self }
    }

    /// The most bytes that they take: 32 MiB unless said otherwise, 64 KiB to 1 GiB, and a little
    /// more than ten times [`max_token_len`](Self::max_token_len) at least, so that there is room for
    /// tokens of every length.
    ///
    /// An entry counts its token, the text of its claims twice, once for the grant and once for what
    /// the application's type may keep of it, what else the grant holds, the sizes of both types, and
    /// 192 bytes for the tables.
    /// A claims type that takes much more memory than its JSON has bytes, as one of many small
    /// values, takes more than is counted.
    pub fn max_bytes(self, bytes: usize) -> Self {
        Self { max_bytes: bytes, ..self }
    }

    /// The longest token that is remembered, in bytes: 4 KiB unless said otherwise, 256 bytes to
    /// 64 KiB. Longer ones are verified each time.
    pub fn max_token_len(self, bytes: usize) -> Self {
        Self { max_token_len: bytes, ..self }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let check = |name, value: usize, range| ConfigError::in_range(name, value as u64, range);
        check("cache max_entries", self.max_entries, ENTRIES)?;
        check("cache max_bytes", self.max_bytes, BYTES)?;
        check("cache max_token_len", self.max_token_len, TOKEN_LEN)?;
        let two = 2 * self.longest() as u64..=*BYTES.end();
        check("cache max_bytes for two tokens of max_token_len", self.max_bytes, two)
    }

    /// What a token of the longest counts, in bytes. Many short scopes can make it nearly twice as
    /// much, hence the room for two.
    fn longest(&self) -> usize {
        TABLES + 5 * self.max_token_len
    }

    /// The same in the words of the cache.
    pub(super) fn options(&self) -> Result<Options, ConfigError> {
        self.check()?;
        let likely = self.max_entries.min(self.max_bytes / USUAL);
        let options = OptionsBuilder::new()
            .estimated_items_capacity(likely)
            .weight_capacity(self.max_bytes as u64)
            .shards(self.parts())
            .build();
        options.map_err(|_| {
            let (name, value) = ("cache max_bytes", self.max_bytes as u64);
            let (min, max) = BYTES.into_inner();
            ConfigError::OutOfRange { name, value, min, max }
        })
    }

    /// How many parts there are, each with a lock and an equal share of the bytes: more than threads
    /// that run at once, unless their shares were too small for the longest tokens.
    fn parts(&self) -> usize {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        (4 * threads).min(self.max_bytes / (8 * self.longest())).max(1)
    }

    /// The least that an entry counts, so that the bound of the bytes is also one of the entries.
    pub(super) fn least(&self) -> usize {
        self.max_bytes.div_ceil(self.max_entries)
    }
}

/// What an entry takes in the tables of the cache, more or less, in bytes.
pub(super) const TABLES: usize = 192;

/// What a short token counts, in bytes: the tables are made for not more of them, and half as many
/// names of those that had to go.
const USUAL: usize = TABLES + 3 * 256;

impl Default for CacheConfig {
    fn default() -> Self {
        Self::new()
    }
}
