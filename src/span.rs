//! Where a text stands inside a longer one.

/// The place of a text inside a longer one, in bytes.
///
/// Whoever keeps a span keeps the longer text too. Texts are at most as long as a token, far below
/// 4 GiB; beyond that a span is empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(crate) const EMPTY: Self = Self { start: 0, end: 0 };

    #[inline]
    pub(crate) fn new(start: usize, len: usize) -> Self {
        match (u32::try_from(start), u32::try_from(start.saturating_add(len))) {
            (Ok(start), Ok(end)) => Self { start, end },
            _ => Self::EMPTY,
        }
    }

    /// The place of `part` if it lies in `whole`. No other text can lie there, so that the address
    /// alone tells.
    #[inline]
    pub(crate) fn locate(part: &str, whole: &str) -> Option<Self> {
        let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        let end = start.checked_add(part.len())?;
        (end <= whole.len()).then(|| Self::new(start, part.len()))
    }

    #[inline]
    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    #[inline]
    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// The same as bytes, whose order is that of the text.
    #[inline]
    pub(crate) fn bytes(self, text: &str) -> &[u8] {
        text.as_bytes().get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_by_its_address() {
        let whole = "a \u{e9} b";
        for part in [whole, &whole[..1], &whole[2..4], &whole[5..]] {
            assert_eq!(Span::locate(part, whole).map(|span| span.of(whole)), Some(part));
        }
        let equal = String::from(whole);
        assert!(Span::locate(&equal, whole).is_none());
        assert!(Span::locate(whole, &whole[1..]).is_none());
        assert!(Span::locate(whole, &whole[..4]).is_none());
    }
}
