use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use super::{AuthEvent, OnEvent, shielded};

/// Hands events to a slow sink on a thread of its own, through a bounded queue.
///
/// When the queue is full the event is dropped and counted; the request never waits. The thread
/// ends once the last clone is gone and the queue is empty.
///
/// ```
/// use tower_bearer::event::{AuthEvent, OnEvent, Queued};
///
/// let (sender, receiver) = std::sync::mpsc::channel();
/// let sink = Queued::new(1024, move |event: &AuthEvent| {
///     let _ = sender.send(event.code());
/// });
///
/// sink.on_event(&AuthEvent::Refused {
///     error: tower_bearer::AuthErrorKind::Expired.into(),
///     caller: None,
/// });
/// assert_eq!(receiver.recv()?, "expired");
/// assert_eq!(sink.dropped(), 0);
/// # Ok::<(), std::sync::mpsc::RecvError>(())
/// ```
#[derive(Clone)]
pub struct Queued {
    queue: SyncSender<AuthEvent>,
    dropped: Arc<AtomicU64>,
}

impl Queued {
    /// A queue for so many events, one at least, before `sink`, with its thread.
    ///
    /// If the system has no thread left, every event is dropped and counted.
    #[must_use]
    pub fn new(capacity: usize, sink: impl OnEvent) -> Self {
        let (queue, events) = sync_channel(capacity.max(1));
        let run = move || events.iter().for_each(|event| shielded(|| sink.on_event(&event)));
        // Without the thread the receiver is gone, and sending fails at once.
        let _ = thread::Builder::new().name("tower-bearer-events".to_owned()).spawn(run);
        Self { queue, dropped: Arc::default() }
    }

    /// How many events were dropped so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl OnEvent for Queued {
    fn on_event(&self, event: &AuthEvent) {
        match self.queue.try_send(event.clone()) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl fmt::Debug for Queued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queued").field("dropped", &self.dropped()).finish_non_exhaustive()
    }
}
