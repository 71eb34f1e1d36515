//! How the servers of one store tell each other what was guessed.

use std::time::Duration;

use super::{notices::Notices, store::Pending};

/// What failed at any server of a [`Store`](super::Store), for all of them, so that together they let
/// through as many guesses as one alone.
///
/// Servers add to it after the fact, a few times in a second, and read what others added: whoever has
/// to wait is told so without a look at the store, and while the log fails each server counts for
/// itself. The contract:
///
/// - A record that was [added](Self::add) stands behind all that were there, and stays there. Whoever goes
///   on from page to page sees each once.
/// - It need not survive a power loss, and what is an hour old may be forgotten.
pub trait GuessLog: Send + Sync {
    /// Adds these records in this order, all or none, and gives a [notice](Self::notices).
    fn add(&self, records: Vec<GuessRecord>) -> Pending<'_, ()>;

    /// At most `limit` records, those behind this place. There may be none behind a place from before
    /// the log was lost: the page then says where new ones will be.
    fn after(&self, place: u64, limit: usize) -> Pending<'_, GuessPage>;

    /// When to look again.
    fn notices(&self) -> Notices;
}

/// What became of attempts of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuessRecord {
    /// The server where they were made, a random number.
    pub server: u64,
    /// The application and source that they count for, as a keyed hash. Nothing where a token was
    /// presented, or nobody knows the source.
    pub pair: Option<u64>,
    /// The source that they count for, as a keyed hash. Nothing if nobody knows it.
    pub source: Option<u64>,
    /// How many failed; 0 for an application that proved who it is, so that what failed before in
    /// that pair counts no more.
    pub failures: u32,
}

/// Some records of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuessPage {
    /// Each record with the time since it was added.
    pub records: Vec<(GuessRecord, Duration)>,
    /// The place of the last of them, to go on from; 0 is before all.
    pub next: u64,
    /// Whether there are more behind these.
    pub has_more: bool,
}
