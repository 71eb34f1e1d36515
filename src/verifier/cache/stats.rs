/// What the cache of a verifier did since the verifier was built, and what is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Tokens that were known, and of which everything still held.
    pub hits: u64,
    /// Looks for tokens that were then decided about as if they were new: unknown and forged ones, and
    /// those that were known and of which something does not hold any more.
    pub misses: u64,
    /// Tokens that were forgotten to make room.
    pub evictions: u64,
    /// Tokens that are known at present. Those that are not good any more are among them until they
    /// are presented once more or make room.
    pub entries: u64,
    /// Bytes that they count, as [`max_bytes`](super::CacheConfig::max_bytes) says.
    pub bytes: u64,
}
