use std::{fmt, time::Duration};

/// Who has to wait, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Throttled {
    /// Whole seconds, at least one.
    pub(crate) retry_after: Duration,
    pub(crate) by: ThrottledBy,
}

impl Throttled {
    /// What another limiter says.
    pub(super) fn external(wait: Duration) -> Self {
        let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
        Self { retry_after: Duration::from_secs(seconds), by: ThrottledBy::External }
    }

    /// The longest of these waits, in seconds; the last of those that are equal.
    pub(super) fn longest<const N: usize>(
        waits: [(ThrottledBy, Option<u64>); N],
    ) -> Result<(), Self> {
        let waits = waits.into_iter().filter_map(|(by, wait)| Some((by, wait?)));
        match waits.max_by_key(|(_, wait)| *wait) {
            Some((by, wait)) => Err(Self { retry_after: Duration::from_secs(wait), by }),
            None => Ok(()),
        }
    }
}

/// Whose failures were too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThrottledBy {
    /// Those of this application from this source.
    Pair,
    /// Those from this source.
    Source,
    /// Those from everywhere.
    Global,
    /// Those that another limiter knows of.
    External,
}

impl ThrottledBy {
    /// A stable name for logs and metrics.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Pair => "pair",
            Self::Source => "source",
            Self::Global => "global",
            Self::External => "external",
        }
    }
}

impl fmt::Display for ThrottledBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}
