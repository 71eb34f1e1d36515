use std::{sync::Arc, time::Duration};

use sqlx::{
    Executor as _, PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::{sync::Notify, task::AbortHandle, time::sleep};

use crate::issue::{Notices, Notifier};

/// Hears from the other stores of the schema, and tells them, with a connection of its own for each. A
/// notice that is lost with one of these is no more than late: whoever waits for it looks again anyway.
pub(super) struct Listening {
    notifier: Arc<Notifier>,
    /// There is something new.
    news: Arc<Notify>,
    tasks: [AbortHandle; 2],
}

/// How soon a connection is tried again that was lost.
const PAUSE: Duration = Duration::from_millis(250);
/// One notice stands for all that comes within so long: `NOTIFY` makes commits wait for each other.
const TOGETHER: Duration = Duration::from_millis(20);

impl Listening {
    pub(super) fn start(options: PgConnectOptions, schema: &str) -> Self {
        let channel: Arc<str> = format!("tower_bearer:{schema}").into();
        let (notifier, news) = (Arc::new(Notifier::default()), Arc::new(Notify::new()));
        let pool = |options| PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
        let (hearing, telling) = (pool(options.clone()), pool(options));
        let hear = hear(hearing, Arc::clone(&channel), Arc::clone(&notifier));
        let tell = tell(telling, channel, Arc::clone(&news));
        let tasks = [tokio::spawn(hear).abort_handle(), tokio::spawn(tell).abort_handle()];
        Self { notifier, news, tasks }
    }

    pub(super) fn notices(&self) -> Notices {
        self.notifier.notices()
    }

    /// That there is something new, here at once.
    pub(super) fn tell(&self) {
        self.notifier.notify();
        self.news.notify_one();
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

async fn hear(pool: PgPool, channel: Arc<str>, notifier: Arc<Notifier>) {
    loop {
        let ended = listen(&pool, &channel, &notifier).await;
        // Something may have been said meanwhile.
        notifier.notify();
        drop(ended);
        sleep(PAUSE).await;
    }
}

async fn listen(pool: &PgPool, channel: &str, notifier: &Notifier) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(channel).await?;
    loop {
        // Also if the connection was lost and is there again: something may have been said meanwhile.
        let _ = listener.try_recv().await?;
        notifier.notify();
    }
}

async fn tell(pool: PgPool, channel: Arc<str>, news: Arc<Notify>) {
    let statement = format!("NOTIFY \"{channel}\"");
    loop {
        news.notified().await;
        while pool.execute(&*statement).await.is_err() {
            sleep(PAUSE).await;
        }
        sleep(TOGETHER).await;
    }
}
