use std::{fmt, sync::Arc};

use super::token::{ScopeError, ScopeToken, is_scope_token};

/// The scopes that a token grants: sorted, without repeats.
///
/// Cheap to clone. See the [module docs](crate::scope) for an example.
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
        let spans = Spans::parse(text, 0, text)?;
        Ok(Self { text: text.into(), spans })
    }

    /// The set of the parts of `text` that `spans` marks.
    pub(crate) fn from_parts(text: Arc<str>, spans: Spans) -> Self {
        Self { text, spans }
    }

    /// Whether this scope is granted; exact comparison.
    #[must_use]
    pub fn contains(&self, scope: impl AsRef<str>) -> bool {
        let scope = scope.as_ref();
        self.spans.as_slice().binary_search_by(|span| span.of(&self.text).cmp(scope)).is_ok()
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
            spans.push(Span::new(text.len(), scope.as_str().len()));
            text.push_str(scope.as_str());
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

/// Where one scope stands in the text of a set.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Texts are at most as long as a token, far below 4 GiB; beyond that the span is empty.
    fn new(start: usize, len: usize) -> Self {
        match (u32::try_from(start), u32::try_from(start.saturating_add(len))) {
            (Ok(start), Ok(end)) => Self { start, end },
            _ => Self::default(),
        }
    }

    fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// Sorted spans; up to eight without an allocation.
#[derive(Clone, Debug)]
pub(crate) enum Spans {
    Few([Span; 8], u8),
    Many(Vec<Span>),
}

impl Spans {
    pub(crate) const fn new() -> Self {
        Self::Few([Span { start: 0, end: 0 }; 8], 0)
    }

    /// The scope tokens of `part`, which stands at `offset` in `whole`.
    pub(crate) fn parse(part: &str, offset: usize, whole: &str) -> Result<Self, ScopeError> {
        let mut spans = Self::new();
        let mut start = 0;
        for piece in part.split(' ') {
            if !piece.is_empty() {
                if !is_scope_token(piece.as_bytes()) {
                    return Err(ScopeError::InvalidToken { token: piece.into() });
                }
                spans.push(Span::new(offset + start, piece.len()));
            }
            start += piece.len() + 1;
        }
        spans.normalize(whole);
        Ok(spans)
    }

    fn push(&mut self, span: Span) {
        match self {
            Self::Few(array, len) if usize::from(*len) < array.len() => {
                array[usize::from(*len)] = span;
                *len += 1;
            }
            Self::Few(array, _) => {
                let mut many = Vec::with_capacity(4 * array.len());
                many.extend_from_slice(array);
                many.push(span);
                *self = Self::Many(many);
            }
            Self::Many(many) => many.push(span),
        }
    }

    /// Sorts by text and drops repeats.
    fn normalize(&mut self, text: &str) {
        match self {
            Self::Few(array, len) => {
                let used = &mut array[..usize::from(*len)];
                used.sort_unstable_by(|a, b| a.of(text).cmp(b.of(text)));
                let mut kept = 0_u8;
                for position in 0..used.len() {
                    let first = kept == 0;
                    if first || used[usize::from(kept) - 1].of(text) != used[position].of(text) {
                        used[usize::from(kept)] = used[position];
                        kept += 1;
                    }
                }
                *len = kept;
            }
            Self::Many(many) => {
                many.sort_unstable_by(|a, b| a.of(text).cmp(b.of(text)));
                many.dedup_by(|a, b| a.of(text) == b.of(text));
            }
        }
    }

    fn as_slice(&self) -> &[Span] {
        match self {
            Self::Few(array, len) => &array[..usize::from(*len)],
            Self::Many(many) => many,
        }
    }
}
