use std::{
    pin::pin,
    sync::mpsc,
    task::{Context, Poll, Waker},
};

use super::*;

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// I-SEC-07: whoever goes away takes the memory along only when it is free.
#[test]
fn four_hashes_are_computed_at_once_and_sixty_four_wait() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let hashing = Hashing::default();
        let (go, stop) = mpsc::channel::<()>();
        // Nothing is computed until this is over, in the only thread for it.
        let stopped = tokio::task::spawn_blocking(move || stop.recv());
        let hash = || Box::pin(hashing.hash("secret", vec![Recipe::with_salt([0; 16])]));
        let mut waiting: Vec<_> = (0..68).map(|_| hash()).collect();
        let turns: Vec<_> = waiting
            .iter_mut()
            .map(|one| {
                assert!(poll_once(one).is_pending());
                hashing.turns.available_permits()
            })
            .collect();
        assert_eq!(turns[..6], [3, 2, 1, 0, 0, 0]);
        assert!(matches!(poll_once(&mut hash()), Poll::Ready(Err(Busy))));

        // Others may wait now, but the four are still to be computed.
        drop(waiting);
        assert_eq!(hashing.turns.available_permits(), 0);
        let mut next = hash();
        assert!(poll_once(&mut next).is_pending());
        drop(go);
        assert!(stopped.await.unwrap().is_err());
        assert_eq!(next.await.unwrap().unwrap().len(), 1);
        // One after the other, so this comes after them.
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        assert_eq!(hashing.turns.available_permits(), 4);
    });
}
