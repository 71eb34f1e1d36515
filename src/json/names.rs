use std::{borrow::Cow, collections::HashSet};

/// How many names are compared one by one.
const FIRST: usize = 8;

/// The member names of one JSON object that were seen so far.
///
/// Claims sets are small: the first names are compared one by one, without an allocation, and only
/// with those that may be equal.
#[derive(Default)]
pub(crate) struct Names<'de> {
    /// One bit for each shape of name that was seen.
    shapes: u64,
    first: [&'de str; FIRST],
    len: usize,
    rest: Option<HashSet<Cow<'de, str>, foldhash::fast::RandomState>>,
}

impl<'de> Names<'de> {
    /// Notes a name; `false` if it was there before.
    #[inline]
    #[expect(clippy::ptr_arg, reason = "a borrowed name is kept without a copy")]
    pub(crate) fn insert(&mut self, name: &Cow<'de, str>) -> bool {
        let shape = shape(name);
        if self.shapes & shape != 0 && self.first[..self.len].iter().any(|seen| seen == name) {
            return false;
        }
        self.shapes |= shape;
        if let (None, Cow::Borrowed(name)) = (&self.rest, name)
            && self.len < FIRST
        {
            self.first[self.len] = name;
            self.len += 1;
            return true;
        }
        self.rest.get_or_insert_default().insert(name.clone())
    }
}

/// The same bit for equal names, and mostly different ones for others.
#[inline]
fn shape(name: &str) -> u64 {
    let (first, last) = match name.as_bytes() {
        [] => (0, 0),
        [only] => (*only, *only),
        [first, .., last] => (*first, *last),
    };
    1 << ((usize::from(first) ^ usize::from(last) << 2 ^ name.len() << 4) & 63)
}
