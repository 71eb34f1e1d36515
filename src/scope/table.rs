use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use crate::span::Span;

/// Finds one of many scopes at once, where halving would compare with many of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// The number of a scope, counted from one, at its hash or at the next free place; zero where none
    /// is. Half of them at least are free, so that every search ends.
    slots: Box<[u32]>,
    hasher: RandomState,
}

impl Table {
    /// Of these scopes, none of which stands twice.
    pub(super) fn new(spans: &[Span], text: &str) -> Self {
        let slots = vec![0; (2 * spans.len()).next_power_of_two()].into_boxed_slice();
        let mut table = Self { slots, hasher: RandomState::default() };
        for (number, span) in (1..).zip(spans) {
            let place = table.places(span.bytes(text)).find(|place| table.slots[*place] == 0);
            if let Some(place) = place {
                table.slots[place] = number;
            }
        }
        table
    }

    /// Whether the scope is among these, of which the table was made.
    pub(super) fn contains(&self, scope: &[u8], spans: &[Span], text: &str) -> bool {
        self.places(scope)
            .map_while(|place| spans.get((self.slots[place] as usize).checked_sub(1)?))
            .any(|span| span.bytes(text) == scope)
    }

    #[cfg(feature = "cache")]
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.slots)
    }

    /// All places, that of the hash first.
    #[inline]
    fn places(&self, scope: &[u8]) -> impl Iterator<Item = usize> + use<> {
        let (len, hash) = (self.slots.len(), self.hasher.hash_one(scope) as usize);
        (0..len).map(move |step| hash.wrapping_add(step) & (len - 1))
    }
}
