use std::{
    collections::hash_map::RandomState,
    error::Error,
    hash::BuildHasher as _,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{FeedStatus, RevocationSource};
use crate::{
    error::BoxError,
    event::{AuthEvent, Sink},
    revocation::{RevocationCursor, RevocationPage, Revocations, list::WeakRevocations},
    time::{Clock, UnixTime},
};

/// How much longer than asked the source may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest that the source is asked to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// How soon the source is asked again after a failure, at first and at last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// How long revocations are kept beyond their end, as clocks may be set back.
const MARGIN: Duration = Duration::from_secs(24 * 3600);
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

impl Task {
    pub(super) async fn run(self) {
        let mut cursor = None;
        let mut failures = 0;
        let mut purged_at = self.clock.now();
        loop {
            // What was revoked before this is in the answer.
            let asked_at = self.clock.now();
            let answer = self.ask(cursor.as_ref()).await;
            let Some(list) = self.list.upgrade() else {
                return;
            };
            match answer {
                Ok(page) => {
                    failures = 0;
                    cursor = Some(self.take(&list, page, asked_at));
                }
                Err(error) => {
                    failures += 1;
                    self.failed(error);
                }
            }
            let now = self.clock.now();
            if now.since(purged_at) >= PURGE_EVERY {
                list.purge(now.saturating_sub(MARGIN));
                purged_at = now;
            }
            drop(list);
            if failures > 0 {
                sleep(pause(failures)).await;
            }
        }
    }

    async fn ask(&self, after: Option<&RevocationCursor>) -> Result<RevocationPage, BoxError> {
        // Nothing is waited for until everything is known.
        let wait = match self.status.borrow().is_complete {
            true => LONGEST_WAIT.min(self.stale_after / 3),
            false => Duration::ZERO,
        };
        let limit = wait + PATIENCE;
        let answer = timeout(limit, self.source.after(after, wait)).await;
        answer.unwrap_or_else(|_| Err(format!("no answer within {} s", limit.as_secs()).into()))
    }

    /// Puts a page in the list; returns from where to go on.
    fn take(
        &self,
        list: &Revocations,
        page: RevocationPage,
        asked_at: UnixTime,
    ) -> RevocationCursor {
        let come = Instant::now();
        let was_complete = self.status.borrow().is_complete;
        let is_new = |entry: &&crate::revocation::RevocationEntry| !list.knows(&entry.revocation);
        let age = match was_complete {
            true => page.entries.iter().filter(is_new).map(|entry| entry.age).max(),
            false => None,
        };
        list.extend(page.entries.into_iter().map(|entry| entry.revocation));
        let lag = age.map(|age| age + come.elapsed());
        let is_all = !page.has_more;
        if is_all && self.refuses {
            list.set_known_until(asked_at.saturating_add(self.stale_after));
        }
        let mut is_back = false;
        self.status.send_modify(|status| {
            status.revocations = list.len();
            status.lag = lag.or(status.lag);
            status.max_lag = status.max_lag.max(lag);
            status.last_error = None;
            if is_all {
                is_back = status.is_stale;
                status.is_complete = true;
                status.is_stale = false;
                status.known_until = Some(asked_at);
            }
        });
        if is_back {
            self.events.emit(&AuthEvent::RevocationsCurrent { revocations: list.len() });
        }
        page.next
    }

    fn failed(&self, error: BoxError) {
        let error: Arc<dyn Error + Send + Sync> = error.into();
        let now = self.clock.now();
        let mut known_until = None;
        let mut became_stale = false;
        self.status.send_modify(|status| {
            known_until = status.known_until;
            let is_stale =
                known_until.is_none_or(|known| now > known.saturating_add(self.stale_after));
            became_stale = is_stale && !status.is_stale;
            status.is_stale = is_stale;
            status.last_error = Some(Arc::clone(&error));
        });
        if became_stale {
            let refuses = self.refuses;
            self.events.emit(&AuthEvent::RevocationsStale { known_until, refuses, error });
        }
    }
}

/// Twice as long after each failure, and not everybody at the same moment.
fn pause(failures: u32) -> Duration {
    let (first, last) = PAUSES;
    let most = first.saturating_mul(1 << failures.min(10).saturating_sub(1)).min(last);
    let chance = RandomState::new().hash_one(0_u8) % 256;
    most / 2 + most * u32::try_from(chance).unwrap_or_default() / 512
}
