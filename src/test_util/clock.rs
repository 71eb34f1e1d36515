use std::{
    future::{Future, poll_fn},
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use crate::time::{Clock, UnixTime};

/// A clock that stands still until it is told to move. Clones share the time.
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::test_util::FrozenClock;
/// use tower_bearer::time::Clock;
///
/// let clock = FrozenClock::at(1_000);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().as_secs(), 1_060);
/// ```
#[derive(Clone, Debug)]
pub struct FrozenClock(Arc<Mutex<Hands>>);

#[derive(Debug)]
struct Hands {
    seconds: u64,
    moves: u64,
    waiting: Vec<Waker>,
}

impl FrozenClock {
    /// Stands at this time, in seconds since 1970.
    #[must_use]
    pub fn at(seconds: u64) -> Self {
        Self(Arc::new(Mutex::new(Hands { seconds, moves: 0, waiting: Vec::new() })))
    }

    /// Goes to this time, in seconds since 1970; it may lie in the past.
    pub fn set(&self, seconds: u64) {
        let waiting = {
            let mut hands = self.hands();
            hands.seconds = seconds;
            hands.moves += 1;
            mem::take(&mut hands.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Moves forward by so many whole seconds.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().saturating_add(by).as_secs());
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.hands().seconds)
    }

    fn moved(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let (clock, moves) = (self.clone(), self.hands().moves);
        Some(Box::pin(poll_fn(move |cx| {
            let mut hands = clock.hands();
            if hands.moves != moves {
                return Poll::Ready(());
            }
            hands.waiting.push(cx.waker().clone());
            Poll::Pending
        })))
    }
}
