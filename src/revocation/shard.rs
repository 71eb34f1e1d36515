use super::column::Column;
use crate::{
    jws::{self, Scratch},
    time::UnixTime,
};

/// Characters of 128 bits in base64url.
const PACKED_LEN: usize = 22;
/// The most bytes that the decoder asks for to decode so many characters.
const PACKED_ROOM: usize = 18;
/// How far from where it should stand an id is looked for first.
const REACH: usize = 48;

/// A part of the ids. It never changes; another one takes its place.
#[derive(Default)]
pub(super) struct Shard {
    packed: Column<u128>,
    texts: Column<Box<str>>,
}

/// Ids to add to a shard, in any order.
#[derive(Default)]
pub(super) struct Added {
    pub(super) packed: Vec<(u128, UnixTime)>,
    pub(super) texts: Vec<(Box<str>, UnixTime)>,
}

impl Shard {
    /// Whether this id is here; `packed` is what [`pack`] makes of it.
    pub(super) fn contains(&self, packed: Option<u128>, id: &str) -> bool {
        match packed {
            Some(packed) => is_among(self.packed.ids(), packed),
            None => self.texts.ids().binary_search_by(|text| (**text).cmp(id)).is_ok(),
        }
    }

    /// The same and more. Of several times for one id the latest counts.
    pub(super) fn with(&self, added: Added) -> Self {
        Self { packed: self.packed.with(added.packed), texts: self.texts.with(added.texts) }
    }

    /// What is left at this time, if that is less.
    pub(super) fn purged(&self, now: UnixTime) -> Option<Self> {
        let is_less = self.packed.has_past(now) || self.texts.has_past(now);
        is_less.then(|| Self {
            packed: self.packed.without_past(now),
            texts: self.texts.without_past(now),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.packed.ids().len() + self.texts.ids().len()
    }
}

/// The 128 bits of an id that is their one strict base64url form: any other text is another id.
#[inline]
pub(super) fn pack(id: &str) -> Option<u128> {
    if id.len() != PACKED_LEN {
        return None;
    }
    let mut scratch = Scratch::<PACKED_ROOM>::new();
    let bytes = jws::decode(id.as_bytes(), &mut scratch)?;
    bytes.try_into().ok().map(u128::from_be_bytes)
}

/// Whether an id is among these, which ascend.
///
/// Ids that were drawn at random stand about where their first bits say, so that a small part is
/// searched, which is half the time where little is in the cache. Others cost a search of the whole.
fn is_among(ids: &[u128], id: u128) -> bool {
    let guess = (((id >> 64) * ids.len() as u128) >> 64) as usize;
    let (from, to) = (guess.saturating_sub(REACH), guess.saturating_add(REACH).min(ids.len()));
    let near = ids.get(from..to).unwrap_or_default();
    let part = match (near.first(), near.last()) {
        (Some(first), Some(last)) if (*first..=*last).contains(&id) => near,
        _ => ids,
    };
    part.binary_search(&id).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_strict_form_of_128_bits_is_packed() {
        assert_eq!(pack("AAAAAAAAAAAAAAAAAAAAAA"), Some(0));
        assert_eq!(pack("_____________________w"), Some(u128::MAX));
        for other in [
            "",
            "AAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAB", // a stray bit
            "AAAAAAAAAAAAAAAAAAAA==",
            "AAAAAAAAAAAAAAAAAAAAA+",
            "AAAAAAAAAAAAAAAAAAAA\u{e4}",
        ] {
            assert_eq!(pack(other), None, "{other}");
        }
    }

    #[test]
    fn an_id_is_found_wherever_the_others_stand() {
        let spread = |count: u128| (0..count).map(move |number| number * (u128::MAX / count));
        let columns: [Vec<u128>; 7] = [
            Vec::new(),
            vec![0],
            vec![u128::MAX],
            spread(1000).collect(),
            (0..1000).collect(),
            (u128::MAX - 999..=u128::MAX).collect(),
            spread(500).chain(spread(500).map(|id| id / 1000)).collect(),
        ];
        for mut ids in columns {
            ids.sort_unstable();
            ids.dedup();
            let near = |id: &u128| [id.wrapping_sub(1), *id, id.wrapping_add(1)];
            for id in ids.iter().flat_map(near).chain([0, 1 << 64, u128::MAX]) {
                assert_eq!(is_among(&ids, id), ids.contains(&id), "{id} of {}", ids.len());
            }
        }
    }
}
