use std::{cmp::Ordering, fmt, sync::Arc};

use super::{
    table::Table,
    token::{ScopeError, ScopeToken, is_scope_token},
};
use crate::span::Span;

/// The scopes that a token grants: sorted, without repeats.
///
/// Cheap to clone. See the [module docs](mod@crate::scope) for an example.
#[derive(Clone)]
pub struct ScopeSet {
    text: Arc<str>,
    spans: Spans,
}

impl ScopeSet {
    /// The set without any scope: what a token without a scope claim grants.
    #[must_use]
    pub fn empty() -> Self {
        Self { text: Arc::from(""), spans: Spans::new() }
    }

    /// Reads scope tokens that are separated by spaces (RFC 6749 section 3.3). Order and repeats
    /// have no meaning; a run of spaces counts as one.
    ///
    /// # Errors
    ///
    /// [`ScopeError::InvalidToken`] names the first part that is no scope token.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let mut spans = Spans::new();
        spans.append(text, 0)?;
        spans.normalize(text);
        Ok(Self { text: text.into(), spans })
    }

    /// The set of the parts of `text` that `spans` marks, in order.
    #[inline]
    pub(crate) fn from_parts(text: Arc<str>, spans: Spans) -> Self {
        Self { text, spans }
    }

    /// The text that the scopes are parts of.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What it takes beside itself, in bytes.
    #[cfg(feature = "cache")]
    pub(crate) fn heap_bytes(&self) -> usize {
        let places = match &self.spans {
            Spans::Few(..) => 0,
            Spans::Many(many, table) => many.capacity() * size_of::<Span>() + table.heap_bytes(),
        };
        self.text.len() + places
    }

    /// Whether this scope is granted; exact comparison.
    #[must_use]
    pub fn contains(&self, scope: impl AsRef<str>) -> bool {
        self.spans.contains(scope.as_ref().as_bytes(), &self.text)
    }

    /// The scopes in ascending order of their bytes.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.spans.as_slice().iter().map(|span| span.of(&self.text))
    }

    /// How many scopes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.as_slice().len()
    }

    /// Whether no scope is granted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether every scope of `other` is in this set.
    #[must_use]
    pub fn is_superset(&self, other: &Self) -> bool {
        other.iter().all(|scope| self.contains(scope))
    }
}

impl Default for ScopeSet {
    fn default() -> Self {
        Self::empty()
    }
}

impl<'a> FromIterator<&'a ScopeToken> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = &'a ScopeToken>>(scopes: I) -> Self {
        let (mut text, mut spans) = (String::new(), Spans::new());
        for scope in scopes {
            let start = text.len();
            text.push_str(scope.as_str());
            spans.push(Span::new(start, scope.as_str().len()));
        }
        spans.normalize(&text);
        Self { text: text.into(), spans }
    }
}

impl FromIterator<ScopeToken> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = ScopeToken>>(scopes: I) -> Self {
        scopes.into_iter().collect::<Vec<_>>().iter().collect()
    }
}

impl std::str::FromStr for ScopeSet {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl PartialEq for ScopeSet {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for ScopeSet {}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The scopes separated by single spaces: the form of the `scope` claim and parameter.
impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

/// Spans in the order of their texts, without repeats; up to eight without an allocation.
#[derive(Clone, Debug)]
pub(crate) enum Spans {
    Few([Span; 8], u8),
    /// The table is made when they are in order.
    Many(Vec<Span>, Table),
}

impl Spans {
    pub(crate) const fn new() -> Self {
        Self::Few([Span::EMPTY; 8], 0)
    }

    /// Adds the scope tokens of `part`, which stands at `offset` in the whole text, as they come.
    pub(crate) fn append(&mut self, part: &str, offset: usize) -> Result<(), ScopeError> {
        // A look at all bytes at once is cheaper than one at each in turn.
        let fits = |byte: u8| (b' '..=b'~').contains(&byte) & (byte != b'"') & (byte != b'\\');
        if !part.bytes().fold(true, |all, byte| all & fits(byte)) {
            return Err(invalid(part));
        }
        let mut start = 0;
        for end in memchr::memchr_iter(b' ', part.as_bytes()).chain([part.len()]) {
            if start < end {
                self.push(Span::new(offset + start, end - start));
            }
            start = end + 1;
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn push(&mut self, span: Span) {
        match self {
            Self::Few(array, len) if usize::from(*len) < array.len() => {
                array[usize::from(*len)] = span;
                *len += 1;
            }
            Self::Few(array, _) => {
                let mut many = Vec::with_capacity(4 * array.len());
                many.extend_from_slice(array);
                many.push(span);
                *self = Self::Many(many, Table::default());
            }
            Self::Many(many, _) => many.push(span),
        }
    }

    /// Puts the spans in the order of their texts and drops repeats.
    pub(crate) fn normalize(&mut self, text: &str) {
        match self {
            Self::Few(array, len) => {
                let kept = sort_few(&mut array[..usize::from(*len)], text);
                *len = kept as u8;
            }
            Self::Many(many, table) => {
                many.sort_unstable_by(|a, b| a.bytes(text).cmp(b.bytes(text)));
                many.dedup_by(|a, b| a.bytes(text) == b.bytes(text));
                many.shrink_to_fit();
                *table = Table::new(many, text);
            }
        }
    }

    /// Whether the scope is among these, which are in order.
    #[inline]
    fn contains(&self, scope: &[u8], text: &str) -> bool {
        match self {
            Self::Few(array, len) => {
                array[..usize::from(*len)].iter().any(|span| span.bytes(text) == scope)
            }
            Self::Many(many, table) => table.contains(scope, many, text),
        }
    }

    fn as_slice(&self) -> &[Span] {
        match self {
            Self::Few(array, len) => &array[..usize::from(*len)],
            Self::Many(many, _) => many,
        }
    }
}

/// Sorts by insertion and returns how many different ones there are, which then stand first. The
/// first eight bytes nearly always decide.
fn sort_few(spans: &mut [Span], text: &str) -> usize {
    let mut prefixes = [0; 8];
    let mut kept = 0;
    for next in 0..spans.len().min(prefixes.len()) {
        let span = spans[next];
        let own = prefix(span.bytes(text));
        let mut place = kept;
        (spans[place], prefixes[place]) = (span, own);
        kept += 1;
        while place > 0 {
            let before = place - 1;
            let order = own
                .cmp(&prefixes[before])
                .then_with(|| span.bytes(text).cmp(spans[before].bytes(text)));
            match order {
                Ordering::Less => {
                    spans.swap(before, place);
                    prefixes.swap(before, place);
                    place = before;
                }
                Ordering::Equal => {
                    spans.copy_within(place + 1..kept, place);
                    prefixes.copy_within(place + 1..kept, place);
                    kept -= 1;
                    break;
                }
                Ordering::Greater => break,
            }
        }
    }
    kept
}

/// The first eight bytes as a number of the same order; a shorter text is filled up with zeros.
fn prefix(text: &[u8]) -> u64 {
    match text.first_chunk::<8>() {
        Some(chunk) => u64::from_be_bytes(*chunk),
        None => text.iter().zip((0..8).rev()).map(|(byte, at)| u64::from(*byte) << (8 * at)).sum(),
    }
}

/// The first part that is no scope token.
#[cold]
fn invalid(text: &str) -> ScopeError {
    let mut parts = text.split(' ').filter(|part| !part.is_empty());
    let token = parts.find(|part| !is_scope_token(part.as_bytes())).unwrap_or_default();
    ScopeError::InvalidToken { token: token.into() }
}
