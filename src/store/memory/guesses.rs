use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::issue::{GuessEntry, GuessLog, GuessPage, GuessRecord, Notices, Notifier, Pending};

/// What servers of this store told each other.
#[derive(Default)]
pub(super) struct Guesses {
    log: Mutex<Log>,
    notifier: Notifier,
}

#[derive(Default)]
struct Log {
    /// The last place that was given.
    last: u64,
    records: VecDeque<(GuessRecord, Instant)>,
}

/// How long records are kept, and how many.
const KEPT_FOR: Duration = Duration::from_secs(3600);
const MOST: usize = 100_000;

impl Guesses {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn add(&mut self, records: Vec<GuessRecord>, now: Instant) {
        self.last += records.len() as u64;
        self.records.extend(records.into_iter().map(|record| (record, now)));
        let beyond = self.records.len().saturating_sub(MOST);
        self.records.drain(..beyond);
        let is_old =
            |added: &Instant| now.checked_duration_since(*added).is_some_and(|age| age >= KEPT_FOR);
        while self.records.front().is_some_and(|(_, added)| is_old(added)) {
            self.records.pop_front();
        }
    }

    fn after(&self, place: u64, limit: usize) -> GuessPage {
        // The last ones are as many as places were given since.
        let behind = match self.last.checked_sub(place) {
            Some(behind) => usize::try_from(behind).unwrap_or(usize::MAX),
            None => self.records.len(),
        };
        let known = self.records.len().saturating_sub(behind);
        let entry = |(record, added): &(GuessRecord, Instant)| GuessEntry {
            record: record.clone(),
            age: added.elapsed(),
        };
        let entries: Vec<_> = self.records.iter().skip(known).take(limit).map(entry).collect();
        let left = self.records.len() - known - entries.len();
        GuessPage { entries, next: self.last - left as u64, has_more: left > 0 }
    }
}

impl GuessLog for Guesses {
    fn add(&self, records: Vec<GuessRecord>) -> Pending<'_, ()> {
        Box::pin(async move {
            self.log().add(records, Instant::now());
            self.notifier.notify();
            Ok(())
        })
    }

    fn after(&self, place: u64, limit: usize) -> Pending<'_, GuessPage> {
        Box::pin(async move { Ok(self.log().after(place, limit)) })
    }

    fn notices(&self) -> Notices {
        self.notifier.notices()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::Guess;

    fn records(count: usize) -> Vec<GuessRecord> {
        let guess = Guess::Failed { pair: None, source: None, times: 1 };
        vec![GuessRecord { server: 1, guess }; count]
    }

    #[test]
    fn what_is_an_hour_old_and_what_is_too_much_is_forgotten_and_places_go_on() {
        let (mut log, start) = (Log::default(), Instant::now());
        log.add(records(10), start);
        log.add(records(5), start + KEPT_FOR);
        let page = log.after(0, 100);
        assert_eq!((page.entries.len(), page.next, page.has_more), (5, 15, false));
        assert_eq!(log.after(8, 100).entries.len(), 5);
        assert_eq!(log.after(12, 100).entries.len(), 3);
        log.add(records(MOST), start + KEPT_FOR);
        assert_eq!(log.records.len(), MOST);
        assert_eq!(
            log.after(15 + MOST as u64, 10),
            GuessPage { entries: Vec::new(), next: 15 + MOST as u64, has_more: false }
        );
    }
}
