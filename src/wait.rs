//! Waiting by a clock, and for whichever of two things comes first.

use std::hash::{BuildHasher, RandomState};
#[cfg(feature = "remote-keys")]
use std::{
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};
#[cfg(any(feature = "issue", feature = "remote-keys"))]
use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

#[cfg(feature = "remote-keys")]
use crate::time::Clock;

/// Waits so long by this clock. One that is moved by hand is only waited for when it moves.
#[cfg(feature = "remote-keys")]
pub(crate) async fn sleep(clock: &dyn Clock, duration: Duration) {
    let end = clock.now().saturating_add(duration);
    loop {
        // Asked before the time, so that no move in between is missed.
        match clock.moved() {
            None => match catch_unwind(|| tokio::time::sleep(duration)) {
                Ok(timer) => return timer.await,
                // This runtime has no timers, so nobody can tell when the time is over.
                Err(_) => return pending().await,
            },
            Some(_) if clock.now() >= end => return,
            Some(moved) => moved.await,
        }
    }
}

/// The outcome of a future, or nothing if it panics: an HTTP client is none of ours.
#[cfg(feature = "remote-keys")]
pub(crate) async fn shielded<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        // What is dropped with the future may panic as well, and then ends the task.
        polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
    })
    .await
}

/// Which of two futures was ready.
#[cfg(any(feature = "issue", feature = "remote-keys"))]
pub(crate) enum First<A, B> {
    One(A),
    Other(B),
}

/// Waits for the first of two futures and drops the other.
#[cfg(any(feature = "issue", feature = "remote-keys"))]
pub(crate) async fn first<A, B>(
    one: impl Future<Output = A>,
    other: impl Future<Output = B>,
) -> First<A, B> {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|cx| {
        if let Poll::Ready(ready) = one.as_mut().poll(cx) {
            return Poll::Ready(First::One(ready));
        }
        other.as_mut().poll(cx).map(First::Other)
    })
    .await
}

/// A number from 0 to 1, as good as random for spreading load.
pub(crate) fn chance() -> f64 {
    let random = RandomState::new().hash_one(0_u8);
    (random >> 11) as f64 / (1_u64 << 53) as f64
}
