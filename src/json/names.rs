use std::{borrow::Cow, collections::HashSet};

/// How many names are compared one by one.
const FIRST: usize = 16;

/// The member names of one JSON object that were seen so far.
///
/// Claims sets are small: the first names are compared one by one, without an allocation.
#[derive(Default)]
pub(crate) struct Names<'de> {
    first: [&'de str; FIRST],
    len: usize,
    rest: Option<HashSet<Cow<'de, str>, foldhash::fast::RandomState>>,
}

impl<'de> Names<'de> {
    /// Notes a name; `false` if it was there before.
    #[expect(clippy::ptr_arg, reason = "a borrowed name is kept without a copy")]
    pub(crate) fn insert(&mut self, name: &Cow<'de, str>) -> bool {
        let used = &self.first[..self.len];
        if used.iter().any(|seen| *seen == name.as_ref()) {
            return false;
        }
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
