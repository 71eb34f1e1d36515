use std::borrow::Cow;

use crate::span::Span;

/// The text that the claims of a token point into: the payload, and behind it what does not stand
/// there as it is, such as strings with escapes.
pub(super) struct Pool<'p> {
    payload: &'p str,
    added: String,
}

impl<'p> Pool<'p> {
    pub(super) fn new(payload: &'p str) -> Self {
        Self { payload, added: String::new() }
    }

    /// The place of a text in the payload, if it lies there.
    pub(super) fn locate(&self, text: &str) -> Option<Span> {
        Span::locate(text, self.payload)
    }

    /// The place of a text, which is added unless it lies in the payload.
    #[inline]
    pub(super) fn place(&mut self, text: &str) -> Span {
        match self.locate(text) {
            Some(span) => span,
            None => self.add("", text),
        }
    }

    /// Adds a text with a prefix.
    pub(super) fn add(&mut self, prefix: &str, text: &str) -> Span {
        let start = self.payload.len() + self.added.len();
        self.added.push_str(prefix);
        self.added.push_str(text);
        Span::new(start, prefix.len() + text.len())
    }

    /// The whole text.
    pub(super) fn into_text(self) -> Cow<'p, str> {
        if self.added.is_empty() {
            Cow::Borrowed(self.payload)
        } else {
            Cow::Owned([self.payload, &self.added].concat())
        }
    }
}
