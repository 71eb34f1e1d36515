use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use arc_swap::{ArcSwap, Guard};

use crate::jws::Header;

/// Headers that were read before. An issuer signs millions of tokens with a handful of headers.
///
/// Only headers of tokens whose signature held are remembered, so that nobody else can fill the
/// memo. It is bounded, and read without a lock.
pub(super) struct HeaderMemo {
    known: ArcSwap<Known>,
    turned_away: AtomicU32,
}

/// Header segments, base64url as received, and what they say.
pub(super) type Known = HashMap<Box<[u8]>, Arc<Header>, foldhash::fast::RandomState>;

impl HeaderMemo {
    /// The most headers that are remembered.
    const CAPACITY: usize = 128;
    /// How many new headers a full memo turns away before it starts afresh. An issuer that never
    /// repeats a header then costs one small copy in so many tokens.
    const PATIENCE: u32 = 1024;

    pub(super) fn new() -> Self {
        Self { known: ArcSwap::default(), turned_away: AtomicU32::new(0) }
    }

    /// All that is known now; look the segment up in it.
    pub(super) fn load(&self) -> Guard<Arc<Known>> {
        self.known.load()
    }

    /// Remembers the header of a token whose signature held.
    pub(super) fn remember(&self, segment: &[u8], header: Header) {
        let known = self.known.load();
        let afresh = known.len() >= Self::CAPACITY;
        if afresh
            && !self.turned_away.fetch_add(1, Ordering::Relaxed).is_multiple_of(Self::PATIENCE)
        {
            return;
        }
        let mut next = if afresh { Known::default() } else { Known::clone(&known) };
        next.insert(segment.into(), Arc::new(header));
        // Two requests at once may lose one of two entries, which costs one more reading.
        self.known.store(Arc::new(next));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memo_is_bounded() {
        let memo = HeaderMemo::new();
        let header = Header::parse(br#"{"alg":"ES256"}"#).unwrap();
        for number in 0..5000 {
            memo.remember(number.to_string().as_bytes(), header.clone());
            assert!(memo.load().len() <= HeaderMemo::CAPACITY);
        }
        assert!(memo.load().len() > 1);
    }
}
