use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::issue::{GuessLog, GuessPage, GuessRecord, Notices, Notifier, Pending};

/// What servers of this store told each other, for an hour.
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

/// How long records are kept.
const KEPT_FOR: Duration = Duration::from_secs(3600);

impl Guesses {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn add(&mut self, records: Vec<GuessRecord>) {
        let now = Instant::now();
        let is_old = |(_, added): &(GuessRecord, Instant)| now.duration_since(*added) >= KEPT_FOR;
        while self.records.front().is_some_and(is_old) {
            self.records.pop_front();
        }
        self.last += records.len() as u64;
        self.records.extend(records.into_iter().map(|record| (record, now)));
    }

    fn after(&self, place: u64, limit: usize) -> GuessPage {
        // The last ones are as many as places were given since.
        let behind = self.last.saturating_sub(place);
        let behind = usize::try_from(behind).map_or(usize::MAX, |behind| behind);
        let known = self.records.len().saturating_sub(behind);
        let later = self.records.iter().skip(known);
        let records: Vec<_> =
            later.take(limit).map(|(record, added)| (record.clone(), added.elapsed())).collect();
        let left = self.records.len() - known - records.len();
        GuessPage { records, next: self.last - left as u64, has_more: left > 0 }
    }
}

impl GuessLog for Guesses {
    fn add(&self, records: Vec<GuessRecord>) -> Pending<'_, ()> {
        Box::pin(async move {
            self.log().add(records);
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
