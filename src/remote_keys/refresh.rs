use std::{
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    task::AbortHandle,
};

use super::{
    error::RefreshError,
    readiness::Readiness,
    source::{Memory, Plan},
};
use crate::{
    error::ConfigError,
    event::{AuthEvent, Sink},
    key::KeySet,
    time::{Clock, UnixTime},
    wait::{First, chance, first, shielded, sleep},
};

/// After a failure another attempt is due so soon, or after the cooldown if that is shorter.
const RETRY: Duration = Duration::from_secs(30);
/// How much longer than an attempt may take somebody waits for its end.
const MARGIN: Duration = Duration::from_secs(5);
/// How many requests may wait for the keys of one issuer at a time.
const MOST_WAITING: usize = 1024;

/// Keeps the keys of one issuer fresh.
///
/// One task fetches, and nobody else: so there is one attempt at a time, and a request that is given
/// up cancels nothing. Requests ask it, and wait for the attempt that answers them.
pub(crate) struct Remote {
    shared: Arc<Shared>,
    /// The last task that was started, and its number.
    task: Mutex<Option<(u64, AbortHandle)>>,
}

/// What the task and the requests share.
struct Shared {
    plan: Plan,
    clock: Arc<dyn Clock>,
    events: Sink,
    /// Until when the keys may be used, in seconds since 1970: all that a request looks at.
    usable_until: AtomicU64,
    status: watch::Sender<Status>,
    asked: Notify,
    /// The number of the task that runs, or 0. A task with another number has been given up.
    running: AtomicU64,
    started: AtomicU64,
    waiting: AtomicUsize,
}

/// How the attempts go.
#[derive(Clone, Default)]
struct Status {
    /// How many attempts came to an end.
    ended: u64,
    is_under_way: bool,
    /// When the last attempt ended.
    last: Option<UnixTime>,
    last_success: Option<UnixTime>,
    /// Why the last attempt failed, if it did.
    error: Option<Arc<RefreshError>>,
}

/// What an attempt yields for those who wait.
pub(crate) type Outcome = Result<(), Arc<RefreshError>>;

/// What becomes of the wish to fetch the keys.
pub(crate) enum Ask {
    /// The last attempt was a moment ago: its outcome stands.
    Settled(Outcome),
    /// Whoever needs the keys has to [wait](Remote::refreshed).
    Wait,
}

/// Who needs the keys.
pub(crate) trait Install: Send + Sync + 'static {
    /// Puts fetched keys to use; `None` if nobody needs them any more.
    fn install(&self, keys: &KeySet) -> Option<Result<(), ConfigError>>;

    /// Whether anybody needs keys.
    fn is_needed(&self) -> bool;
}

impl Remote {
    pub(crate) fn new(plan: Plan, clock: Arc<dyn Clock>, events: Sink) -> Self {
        let shared = Shared {
            plan,
            clock,
            events,
            usable_until: AtomicU64::new(0),
            status: watch::Sender::default(),
            asked: Notify::new(),
            running: AtomicU64::new(0),
            started: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
        };
        Self { shared: Arc::new(shared), task: Mutex::new(None) }
    }

    /// Whether the keys at hand, if there are any, may be used.
    #[inline]
    pub(crate) fn is_usable(&self, now: UnixTime) -> bool {
        now.as_secs() < self.shared.usable_until.load(Ordering::Acquire)
    }

    /// Starts the task again if it ended, as with its runtime: keys that are at hand must not grow
    /// old because nobody needs to wait for them.
    #[inline]
    pub(crate) fn look_after<I: Install>(&self, install: impl FnOnce() -> I) {
        if self.shared.running.load(Ordering::Relaxed) == 0 {
            // Outside a runtime this fails, and the next request tries again.
            self.start(install()).map(drop).unwrap_or_default();
        }
    }

    /// Whether it is worth waiting for another attempt.
    pub(crate) fn ask(&self) -> Ask {
        match self.shared.settled(&self.shared.status.borrow()) {
            Some(outcome) => Ask::Settled(outcome),
            None => Ask::Wait,
        }
    }

    /// Waits for the attempt that is under way, or for another one. The task is started if it does
    /// not run. Dropping the future gives up the waiting and nothing else.
    pub(crate) async fn refreshed(&self, install: impl Install) -> Outcome {
        let _place = self.shared.place()?;
        let mut attempts = self.shared.status.subscribe();
        let ended = {
            let status = attempts.borrow_and_update();
            if let Some(outcome) = self.shared.settled(&status) {
                return outcome;
            }
            status.ended
        };
        let task = self.start(install)?;
        self.shared.asked.notify_one();
        let answered = async {
            match attempts.wait_for(|status| status.ended > ended).await {
                Ok(status) => status.outcome(),
                // Not while this borrows the sender.
                Err(_) => Err(Arc::new(RefreshError::Stopped)),
            }
        };
        // An attempt keeps its time as long as its runtime is driven. A task that cannot is given up.
        let limit = self.shared.plan.timeout + MARGIN;
        match first(answered, sleep(&*self.shared.clock, limit)).await {
            First::One(outcome) => outcome,
            First::Other(()) => {
                self.shared.give_up(task);
                Err(Arc::new(RefreshError::Timeout { seconds: limit.as_secs() }))
            }
        }
    }

    /// Starts the task, unless it runs, and returns its number.
    fn start(&self, install: impl Install) -> Result<u64, Arc<RefreshError>> {
        let shared = &self.shared;
        let running = shared.running.load(Ordering::Acquire);
        if running != 0 {
            return Ok(running);
        }
        let runtime = Handle::try_current().map_err(|_| Arc::new(RefreshError::NoRuntime))?;
        let number = shared.started.fetch_add(1, Ordering::AcqRel) + 1;
        // Two may start at a time; the number is taken before the task is, so that none is lost.
        let idle = shared.running.compare_exchange(0, number, Ordering::AcqRel, Ordering::Acquire);
        if let Err(running) = idle {
            return Ok(running);
        }
        let running = Running { shared: Arc::clone(shared), number };
        let task = runtime.spawn(async move { running.shared.keep_fresh(number, install).await });
        let mut last = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(earlier, _)| *earlier < number) {
            *last = Some((number, task.abort_handle()));
        }
        Ok(number)
    }

    /// How the keys are doing; `keys` is how many are at hand.
    pub(crate) fn readiness(&self, keys: usize) -> Readiness {
        let status = self.shared.status.borrow();
        let usable_until = UnixTime::from_secs(self.shared.usable_until.load(Ordering::Acquire));
        let is_usable = self.is_usable(self.shared.clock.now());
        Readiness {
            issuer: Arc::clone(&self.shared.plan.issuer),
            keys: if is_usable { keys } else { 0 },
            last_success: status.last_success,
            usable_until: status.last_success.map(|_| usable_until),
            last_error: status.error.clone(),
        }
    }
}

/// The last verifier is gone, and nobody needs fresh keys.
impl Drop for Remote {
    fn drop(&mut self) {
        self.shared.running.store(0, Ordering::Release);
        let task = self.task.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, task)) = task {
            task.abort();
        }
    }
}

/// Tells that the task is over, however it ends: with its runtime, for example, or because that has
/// no timers. The next request starts another.
struct Running {
    shared: Arc<Shared>,
    number: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.give_up(self.number);
    }
}

impl Status {
    fn outcome(&self) -> Outcome {
        match &self.error {
            Some(error) => Err(Arc::clone(error)),
            None => Ok(()),
        }
    }
}

impl Shared {
    /// The outcome that stands: that of the last attempt, if none is under way or allowed.
    fn settled(&self, status: &Status) -> Option<Outcome> {
        (!status.is_under_way && self.rest(status).is_some()).then(|| status.outcome())
    }

    /// How long no attempt is allowed after the last one.
    fn rest(&self, status: &Status) -> Option<Duration> {
        let now = self.clock.now();
        // A clock that was set back must not keep us from trying.
        let last = status.last.filter(|last| *last <= now)?;
        self.plan.cooldown.checked_sub(now.since(last)).filter(|rest| !rest.is_zero())
    }

    /// A place among those that wait, which is free again when it is dropped.
    fn place(&self) -> Result<Place<'_>, Arc<RefreshError>> {
        let place = Place(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::AcqRel) < MOST_WAITING {
            Ok(place)
        } else {
            Err(Arc::new(RefreshError::TooManyWaiting))
        }
    }

    /// From now on the task of this number is none of ours, if it was; and whoever waits for it is
    /// told.
    fn give_up(&self, number: u64) {
        let running = self.running.compare_exchange(number, 0, Ordering::AcqRel, Ordering::Acquire);
        if running.is_ok() {
            let (error, now) = (Arc::new(RefreshError::Stopped), self.clock.now());
            self.tell(&error, now);
            self.end_attempt(Some(error), now);
        }
    }

    /// The task: fetches, waits until the keys get old or somebody asks, and again.
    async fn keep_fresh(&self, number: u64, install: impl Install) {
        let mut memory = Memory::default();
        // After a task that ended, this one is no excuse to ask sooner.
        let rest = self.rest(&self.status.borrow());
        if let Some(rest) = rest {
            self.pause(rest).await;
        }
        while install.is_needed() && self.running.load(Ordering::Acquire) == number {
            let Some(pause) = self.attempt(&mut memory, number, &install).await else {
                return;
            };
            self.pause(pause).await;
        }
    }

    /// Waits until the next attempt is due, or allowed and asked for.
    async fn pause(&self, pause: Duration) {
        let asked = async {
            loop {
                self.asked.notified().await;
                if self.rest(&self.status.borrow()).is_none() {
                    return;
                }
            }
        };
        first(sleep(&*self.clock, pause), asked).await;
    }

    /// One attempt, and how long to wait for the next one; `None` if nobody needs keys any more.
    async fn attempt(
        &self,
        memory: &mut Memory,
        number: u64,
        install: &impl Install,
    ) -> Option<Duration> {
        self.status.send_modify(|status| status.is_under_way = true);
        let started = self.clock.now();
        let fetched = self.in_time(self.plan.fetch_keys(memory, started)).await;
        if self.running.load(Ordering::Acquire) != number {
            return None;
        }
        let now = self.clock.now();
        let installed = match fetched {
            Ok(fetched) => match fetched.keys.as_ref().map(|keys| install.install(keys)) {
                Some(None) => return None,
                Some(Some(Err(source))) => Err(RefreshError::NoUsableKey { source }),
                Some(Some(Ok(()))) | None => Ok(fetched),
            },
            Err(error) => Err(error),
        };
        let (pause, error) = match installed {
            Ok(fetched) => {
                let fresh_for = fetched.fresh_for;
                memory.keep(fetched);
                let usable_until = now.saturating_add(fresh_for + self.plan.stale_for);
                self.usable_until.store(usable_until.as_secs(), Ordering::Release);
                // Between 70 and 80 %: not all services of one start ask at the same moment.
                (fresh_for.mul_f64(0.7 + 0.1 * chance()), None)
            }
            Err(error) => {
                memory.doubt_place();
                let error = Arc::new(error);
                self.tell(&error, now);
                (self.plan.cooldown.min(RETRY).mul_f64(1.0 + 0.2 * chance()), Some(error))
            }
        };
        self.end_attempt(error, now);
        Some(pause)
    }

    fn end_attempt(&self, error: Option<Arc<RefreshError>>, now: UnixTime) {
        self.status.send_modify(|status| {
            status.is_under_way = false;
            status.ended += 1;
            status.last = Some(now);
            if error.is_none() {
                status.last_success = Some(now);
            }
            status.error = error;
        });
    }

    async fn in_time<T>(
        &self,
        attempt: impl Future<Output = Result<T, RefreshError>>,
    ) -> Result<T, RefreshError> {
        let timeout = self.plan.timeout;
        match first(shielded(attempt), sleep(&*self.clock, timeout)).await {
            First::One(Some(outcome)) => outcome,
            First::One(None) => Err(RefreshError::Panicked),
            First::Other(()) => Err(RefreshError::Timeout { seconds: timeout.as_secs() }),
        }
    }

    fn tell(&self, error: &Arc<RefreshError>, now: UnixTime) {
        let usable_until = UnixTime::from_secs(self.usable_until.load(Ordering::Acquire));
        self.events.emit(&AuthEvent::KeyRefreshFailed {
            issuer: Arc::clone(&self.plan.issuer),
            error: Arc::clone(error) as _,
            usable_until: Some(usable_until).filter(|until| now < *until),
        });
    }
}

/// One that waits.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("issuer", &self.shared.plan.issuer).finish_non_exhaustive()
    }
}
