//! What every request changes, in several places: threads that write to one line of the processor's
//! cache wait for each other. What is cloned for each request, as axum's router clones the services of
//! its routes, is counted by all in one place all the same.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// More threads than that share some.
const COUNT: usize = 16;

/// A value for each thread.
#[cfg(feature = "cache")]
#[derive(Default)]
pub(crate) struct Lanes<T>([Apart<T>; COUNT]);

#[cfg(feature = "cache")]
impl<T> Lanes<T> {
    /// That of this thread.
    #[inline]
    pub(crate) fn own(&self) -> &T {
        &self.0[lane()].0
    }

    /// Those of all threads.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|lane| &lane.0)
    }
}

/// An [`Arc`] that counts the references of each thread by themselves.
pub(crate) struct Spread<T>(Arc<[Counted<T>; COUNT]>);

/// A reference that one thread counts, wherever it is dropped.
pub(crate) struct Counted<T>(Arc<Apart<Arc<T>>>);

impl<T> Spread<T> {
    pub(crate) fn new(value: T) -> Self {
        let value = Arc::new(value);
        Self(Arc::new(std::array::from_fn(|_| Counted(Arc::new(Apart(Arc::clone(&value)))))))
    }

    /// Another reference, counted by this thread.
    #[inline]
    pub(crate) fn reference(&self) -> Counted<T> {
        Counted(Arc::clone(&self.0[lane()].0))
    }
}

impl<T> Clone for Spread<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Counted<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0.0
    }
}

/// Alone on a line of the processor's cache, and on the one that it fetches along.
#[derive(Default)]
#[repr(align(128))]
struct Apart<T>(T);

/// Which place is that of this thread.
#[inline]
fn lane() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static LANE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % COUNT;
    }
    // Where a thread is at its end, any will do.
    LANE.try_with(|lane| *lane).unwrap_or_default() % COUNT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_dropped_with_the_last_reference_whichever_thread_has_it() {
        let spread = Spread::new(Arc::new(()));
        let value = Arc::downgrade(&*spread.reference());
        let reference = std::thread::spawn({
            let spread = spread.clone();
            move || spread.reference()
        });
        let reference = reference.join().expect("no panic");
        drop(spread);
        assert!(value.upgrade().is_some());
        drop(reference);
        assert!(value.upgrade().is_none());
    }
}
