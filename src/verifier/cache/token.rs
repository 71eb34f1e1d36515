use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::quality::RandomState;
use quick_cache::Equivalent;
use zeroize::Zeroizing;

/// A token that was accepted, which whoever has it can present.
///
/// With its hash, as a table that grows finds new places for all of them while requests wait.
pub(super) struct Token {
    hash: u64,
    bytes: Zeroizing<Box<[u8]>>,
}

/// A token that is looked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'t> {
    hash: u64,
    bytes: &'t [u8],
}

impl<'t> Asked<'t> {
    #[inline]
    pub(super) fn new(bytes: &'t [u8], hasher: &RandomState) -> Self {
        Self { hash: hasher.hash_one(bytes), bytes }
    }

    pub(super) fn to_token(self) -> Token {
        Token { hash: self.hash, bytes: Zeroizing::new(self.bytes.into()) }
    }
}

impl Token {
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        **self.bytes == *bytes
    }
}

impl Equivalent<Token> for Asked<'_> {
    #[inline]
    fn equivalent(&self, token: &Token) -> bool {
        self.hash == token.hash && token.is(self.bytes)
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.bytes)
    }
}

impl Eq for Token {}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Hash for Asked<'_> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Takes the hash that is there.
#[derive(Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// Never called, as every token brings its hash.
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}
