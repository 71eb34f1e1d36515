//! What is computed to compare secrets, counted for tests: time tells too little, and not always
//! the same.

use std::cell::RefCell;

/// One computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// An Argon2id hash, with its KiB, passes and lanes.
    Hash(u32, u32, u32),
    /// An HMAC over so many bytes.
    Tag(usize),
}

thread_local! {
    static DONE: RefCell<Vec<Work>> = const { RefCell::new(Vec::new()) };
}

/// Notes what was computed for the request that runs in this thread.
pub(super) fn note(work: Work) {
    DONE.with_borrow_mut(|done| done.push(work));
}

/// What was noted in this thread since this was last called.
pub(super) fn take() -> Vec<Work> {
    DONE.take()
}
