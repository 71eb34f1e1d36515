//! How the servers of one store tell each other what was guessed.

use std::time::Duration;

use super::{notices::Notices, store::Pending};

/// What failed at any server of a [`Store`](super::Store), for all of them, so that together they let
/// through little more guesses than one alone: at the end of a wait each may let one through.
///
/// Servers add to it after the fact, a few times in a second, and read what others added: whoever has
/// to wait is told so without a look at the store. While the log fails each server counts for itself, and
/// what it could not add it tells nobody. The contract:
///
/// - A record that was [added](Self::add) stands behind all that were there, and stays there. Whoever goes
///   on from page to page sees each once, unless the log was lost in between.
/// - It need not survive a power loss. What is an hour old may be forgotten, and of very many the oldest.
pub trait GuessLog: Send + Sync {
    /// Adds these records in this order, all or none, and gives a [notice](Self::notices). After an error
    /// it is unknown whether they were added.
    fn add(&self, records: Vec<GuessRecord>) -> Pending<'_, ()>;

    /// At most `limit` records, those behind this place; 0 is before all. A place that no record has
    /// reached is of a log that was lost, and stands for 0 as soon as there is a record.
    fn after(&self, place: u64, limit: usize) -> Pending<'_, GuessPage>;

    /// When to look again.
    fn notices(&self) -> Notices;
}

/// What became of attempts, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuessRecord {
    /// The server where they were made, a random number.
    pub server: u64,
    /// What became of them.
    pub guess: Guess,
}

/// What became of attempts. Whoever made them is known by keyed hashes of 64 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guess {
    /// They failed.
    Failed {
        /// The application and source. Nothing where a token was presented, or nobody knows the source.
        pair: Option<u64>,
        /// The source. Nothing if nobody knows it.
        source: Option<u64>,
        /// How many there were, one at least.
        times: u32,
    },
    /// An application proved who it is: what failed before counts no more for the two.
    Succeeded {
        /// The application and source.
        pair: u64,
        /// The source.
        source: u64,
    },
}

/// Some records of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuessPage {
    /// The records in the order of the log.
    pub entries: Vec<GuessEntry>,
    /// The place of the last of them, to go on from.
    pub next: u64,
    /// Whether there are more behind these.
    pub has_more: bool,
}

/// A record, and how long it has been in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuessEntry {
    /// The record.
    pub record: GuessRecord,
    /// The time since it was added.
    pub age: Duration,
}
