use std::{error::Error, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::{JoinSet, yield_now},
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{FeedStatus, RevocationSource};
use crate::{
    error::BoxError,
    event::{AuthEvent, Sink},
    revocation::{
        KEPT_BEYOND_END, RevocationCursor, RevocationEntry, RevocationPage, Revocations,
        list::WeakRevocations,
    },
    time::{Clock, UnixTime},
    wait::chance,
};

/// How much longer than asked the source may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest that the source is asked to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// How soon the source is asked again after a failure, at first and at last; and after an answer that
/// came at once with nothing new in it, at first.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// How often what is past is forgotten.
const PURGE_EVERY: Duration = Duration::from_secs(60);

/// Fills a list and keeps it current, until nobody has it any more.
pub(super) struct Task {
    pub(super) source: Arc<dyn RevocationSource>,
    pub(super) refuses: bool,
    pub(super) stale_after: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) events: Sink,
    pub(super) status: watch::Sender<FeedStatus>,
    pub(super) list: WeakRevocations,
}

/// Where the reading is. A pass is a number of pages, up to the one after which there is no more.
struct Reading {
    cursor: Option<RevocationCursor>,
    /// When the first page of the pass was asked for: what was revoked before is in the list when the
    /// pass ends.
    pass_began: Option<(UnixTime, Instant)>,
    /// When the last pass began that came to its end; when everything began, if none did.
    heard: Instant,
    failures: u32,
    has_news: bool,
}

impl Task {
    /// Goes on after a panic of a source or a clock, which are none of ours.
    pub(super) async fn run(self) {
        let task = Arc::new(self);
        loop {
            // Ends with this future.
            let mut attempt = JoinSet::new();
            let keeping = Arc::clone(&task);
            attempt.spawn(async move { keeping.keep().await });
            match attempt.join_next().await {
                Some(Err(error)) if error.is_panic() => {
                    task.failed("the source panicked".into(), true);
                    sleep(PAUSES.1).await;
                }
                _ => return,
            }
        }
    }

    async fn keep(&self) {
        let mut reading = Reading {
            cursor: None,
            pass_began: None,
            heard: Instant::now(),
            failures: 0,
            has_news: false,
        };
        let mut purged_at = Instant::now();
        loop {
            let asked = (self.clock.now(), Instant::now());
            reading.pass_began.get_or_insert(asked);
            let answer = self.ask(&reading).await;
            let Some(list) = self.list.upgrade() else {
                return;
            };
            let pause = match answer {
                Ok(page) => self.take(&list, page, &mut reading, asked.1),
                Err(error) => {
                    reading.failures += 1;
                    reading.pass_began = None;
                    self.failed(error, reading.heard.elapsed() > self.stale_after);
                    Some(pause(reading.failures))
                }
            };
            if purged_at.elapsed() >= PURGE_EVERY {
                list.purge(self.clock.now().saturating_sub(KEPT_BEYOND_END));
                purged_at = Instant::now();
            }
            drop(list);
            match pause {
                Some(pause) => sleep(pause).await,
                None => yield_now().await,
            }
        }
    }

    /// Asks for the next page. If nothing is heard for too long meanwhile, that is told at once.
    async fn ask(&self, reading: &Reading) -> Result<RevocationPage, BoxError> {
        let wait = self.wait(reading);
        let limit = wait + PATIENCE;
        let answer = timeout(limit, self.source.after(reading.cursor.as_ref(), wait));
        let mut answer = std::pin::pin!(answer);
        let late = || -> BoxError { format!("no answer within {} s", limit.as_secs()).into() };
        let stale_at = reading.heard + self.stale_after;
        let answered = match timeout_at(stale_at, &mut answer).await {
            Ok(answered) => answered,
            Err(_) => {
                self.failed("nothing was heard for too long".into(), true);
                answer.await
            }
        };
        answered.unwrap_or_else(|_| Err(late()))
    }

    /// How long the source is to wait for something new: not so long that the list is stale by then. While
    /// it is not known whether everything is known, nothing is waited for.
    fn wait(&self, reading: &Reading) -> Duration {
        let status = self.status.borrow();
        let known_until = status.known_until.filter(|_| !status.is_stale && reading.failures == 0);
        let left = known_until.map_or(Duration::ZERO, |known| self.left(known, reading.heard));
        LONGEST_WAIT.min(self.stale_after / 3).min(left / 2)
    }

    /// How long a list is current of which everything up to this time is known, by the clock and by the
    /// time that passed since then.
    fn left(&self, known_until: UnixTime, heard: Instant) -> Duration {
        let by_clock = known_until.saturating_add(self.stale_after).since(self.clock.now());
        by_clock.min(self.stale_after.saturating_sub(heard.elapsed()))
    }

    /// Puts a page in the list; says how long to pause then.
    fn take(
        &self,
        list: &Revocations,
        page: RevocationPage,
        reading: &mut Reading,
        asked_at: Instant,
    ) -> Option<Duration> {
        let come = Instant::now();
        let was_complete = self.status.borrow().is_complete;
        let is_new = |entry: &&RevocationEntry| !list.knows(&entry.revocation);
        let age = page.entries.iter().filter(is_new).map(|entry| entry.age).max();
        list.extend(page.entries.into_iter().map(|entry| entry.revocation));
        let lag = age.map(|age| age + come.elapsed()).filter(|_| was_complete);
        reading.failures = 0;
        reading.has_news |= age.is_some();
        let stands_still = reading.cursor.replace(page.next.clone()).as_ref() == Some(&page.next);
        if page.has_more {
            if !was_complete {
                // It takes as long as it takes: nothing is accepted until then.
                reading.heard = asked_at;
            }
            self.status.send_modify(|status| status.revocations = list.len());
            // A source that gives the same page again and again has lost its way.
            return stands_still.then_some(PAUSES.0);
        }
        let began = reading.pass_began.take();
        let (known_until, heard) = began.unwrap_or((self.clock.now(), asked_at));
        reading.heard = heard;
        if self.refuses {
            list.set_current_before(known_until.saturating_add(self.stale_after));
        }
        // A pass that took too long says what was revoked, and not that all of it is known now.
        let is_current = !self.left(known_until, heard).is_zero();
        let mut is_back = false;
        self.status.send_modify(|status| {
            status.revocations = list.len();
            status.lag = lag.or(status.lag);
            status.max_lag = status.max_lag.max(lag);
            status.last_error = None;
            is_back = is_current && std::mem::take(&mut status.is_stale);
            status.is_complete = true;
            status.known_until = Some(known_until);
        });
        if is_back {
            self.events.emit(&AuthEvent::RevocationsCurrent { revocations: list.len() });
        }
        // What comes at once with nothing new in it would come again and again.
        let came_at_once = come.duration_since(asked_at) < PAUSES.0;
        let has_news = std::mem::take(&mut reading.has_news);
        (came_at_once && !has_news && was_complete && !is_back).then_some(PAUSES.0)
    }

    /// The source failed; `is_late` if nothing was heard for too long by the time that passed, whatever
    /// the clock says.
    fn failed(&self, error: BoxError, is_late: bool) {
        let error: Arc<dyn Error + Send + Sync> = error.into();
        let now = self.clock.now();
        let mut known_until = None;
        let mut became_stale = false;
        self.status.send_modify(|status| {
            known_until = status.known_until;
            let is_old = |known: UnixTime| now >= known.saturating_add(self.stale_after);
            let is_stale = is_late || known_until.is_none_or(is_old);
            became_stale = is_stale && !status.is_stale;
            status.is_stale |= is_stale;
            status.last_error = Some(Arc::clone(&error));
        });
        if became_stale {
            if let (true, Some(list)) = (self.refuses, self.list.upgrade()) {
                list.forget_currency();
            }
            let refuses = self.refuses;
            self.events.emit(&AuthEvent::RevocationsStale { known_until, refuses, error });
        }
    }
}

/// Twice as long after each failure, and not everybody at the same moment.
fn pause(failures: u32) -> Duration {
    let (first, last) = PAUSES;
    let most = first.saturating_mul(1 << failures.min(10).saturating_sub(1)).min(last);
    most.mul_f64(0.5 + chance() / 2.0)
}
