/// A string claim: where it stands in the payload, or a copy if it was written with escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    Slice { start: u32, end: u32 },
    Copy(Box<str>),
}

impl Text {
    /// `text` as a part of `payload` if it lies in it, else as a copy.
    #[inline]
    pub(crate) fn locate(text: &str, payload: &str) -> Self {
        let start = (text.as_ptr() as usize).wrapping_sub(payload.as_ptr() as usize);
        let end = start.wrapping_add(text.len());
        match (u32::try_from(start), u32::try_from(end)) {
            // No other text can lie inside the payload, so the place alone tells.
            (Ok(from), Ok(to)) if payload.get(start..end).is_some() => {
                Self::Slice { start: from, end: to }
            }
            _ => Self::Copy(text.into()),
        }
    }

    /// The text, given the payload that it was found in.
    pub(crate) fn of<'a>(&'a self, payload: &'a str) -> &'a str {
        match self {
            Self::Slice { start, end } => {
                payload.get(*start as usize..*end as usize).unwrap_or_default()
            }
            Self::Copy(text) => text,
        }
    }

    /// The range in the payload, if it stands there.
    pub(crate) fn offset(&self) -> Option<usize> {
        match self {
            Self::Slice { start, .. } => Some(*start as usize),
            Self::Copy(_) => None,
        }
    }
}
