use crate::time::UnixTime;

/// Ids of one form in ascending order, and beside each the time until when it is kept.
pub(super) struct Column<K> {
    ids: Box<[K]>,
    /// Apart, as a pair with 128 bits in it would be filled up to 32 bytes.
    until: Box<[UnixTime]>,
}

impl<K: Clone + Ord> Column<K> {
    /// The column and these new ids in any order. Of several times for one id the latest counts.
    pub(super) fn with(&self, new: Vec<(K, UnixTime)>) -> Self {
        let mut all: Vec<_> = self.iter().chain(new).collect();
        all.sort();
        all.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                kept.1 = later.1;
            }
            is_same
        });
        all.into_iter().collect()
    }

    /// The ids that are not past their time.
    pub(super) fn without_past(&self, now: UnixTime) -> Self {
        self.iter().filter(|(_, until)| *until >= now).collect()
    }

    fn iter(&self) -> impl Iterator<Item = (K, UnixTime)> {
        self.ids.iter().cloned().zip(self.until.iter().copied())
    }
}

impl<K> Column<K> {
    pub(super) fn ids(&self) -> &[K] {
        &self.ids
    }

    /// Whether any id is past its time.
    pub(super) fn has_past(&self, now: UnixTime) -> bool {
        self.until.iter().any(|until| *until < now)
    }
}

impl<K> Default for Column<K> {
    fn default() -> Self {
        Self { ids: Box::default(), until: Box::default() }
    }
}

/// The ids must come in ascending order.
impl<K> FromIterator<(K, UnixTime)> for Column<K> {
    fn from_iter<I: IntoIterator<Item = (K, UnixTime)>>(sorted: I) -> Self {
        let (ids, until): (Vec<_>, Vec<_>) = sorted.into_iter().unzip();
        Self { ids: ids.into(), until: until.into() }
    }
}
