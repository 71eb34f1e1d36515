use std::{sync::Arc, time::Duration};

use sqlx::{
    Executor as _, PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::{
    sync::Notify,
    task::AbortHandle,
    time::{Instant, sleep},
};

use crate::issue::{Notices, Notifier};

/// Hears from the other stores of the schema, and tells them, with a connection of its own for each. A
/// notice that is lost with one of these is no more than late: whoever waits for it looks again anyway.
pub(super) struct Listening {
    pub(super) changes: Arc<Topic>,
    pub(super) guesses: Arc<Topic>,
    tasks: [AbortHandle; 3],
}

/// What notices are about.
pub(super) struct Topic {
    channel: String,
    notifier: Notifier,
    untold: Notify,
}

/// How soon a connection is tried again that was lost, at first and at last: a standby never listens.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// One notice stands for all that comes within so long: `NOTIFY` makes commits wait for each other.
const TOGETHER: Duration = Duration::from_millis(20);

impl Listening {
    pub(super) fn start(options: PgConnectOptions, schema: &str) -> Self {
        let changes = Arc::new(Topic::new(format!("tower_bearer:{schema}")));
        let guesses = Arc::new(Topic::new(format!("tower_bearer_guesses:{schema}")));
        let pool = |options| PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
        let (hearing, telling) = (pool(options.clone()), pool(options));
        let topics = [Arc::clone(&changes), Arc::clone(&guesses)];
        let tasks = [
            tokio::spawn(hear(hearing, topics)),
            tokio::spawn(tell(telling.clone(), Arc::clone(&changes))),
            tokio::spawn(tell(telling, Arc::clone(&guesses))),
        ];
        Self { changes, guesses, tasks: tasks.map(|task| task.abort_handle()) }
    }

    pub(super) fn end(&self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.end();
    }
}

impl Topic {
    /// Names end after 63 bytes; the database would cut it off as well, and say so each time.
    fn new(mut channel: String) -> Self {
        channel.truncate(63);
        Self { channel, notifier: Notifier::default(), untold: Notify::new() }
    }

    pub(super) fn notices(&self) -> Notices {
        self.notifier.notices()
    }

    /// That there is something new, here at once.
    pub(super) fn tell(&self) {
        self.notifier.notify();
        self.untold.notify_one();
    }
}

async fn hear(pool: PgPool, topics: [Arc<Topic>; 2]) {
    let mut pause = PAUSE;
    loop {
        let began = Instant::now();
        let ended = listen(&pool, &topics).await;
        // Something may have been said meanwhile.
        topics.iter().for_each(|topic| topic.notifier.notify());
        pause = match ended {
            Err(sqlx::Error::Database(_)) if began.elapsed() < LONGEST_PAUSE => {
                LONGEST_PAUSE.min(pause * 2)
            }
            _ => PAUSE,
        };
        sleep(pause).await;
    }
}

async fn listen(pool: &PgPool, topics: &[Arc<Topic>]) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen_all(topics.iter().map(|topic| topic.channel.as_str())).await?;
    loop {
        let notice = listener.try_recv().await?;
        // Of none that is named the connection was lost, and is there again: something may have been said
        // meanwhile.
        let is_about =
            |topic: &Topic| notice.as_ref().is_none_or(|notice| topic.channel == notice.channel());
        topics.iter().filter(|topic| is_about(topic)).for_each(|topic| topic.notifier.notify());
    }
}

async fn tell(pool: PgPool, topic: Arc<Topic>) {
    let statement = format!("NOTIFY \"{}\"", topic.channel);
    loop {
        topic.untold.notified().await;
        while pool.execute(&*statement).await.is_err() {
            sleep(PAUSE).await;
        }
        sleep(TOGETHER).await;
    }
}
