use std::{sync::Arc, time::Duration};

use sqlx::{
    Executor as _, PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::{sync::Notify, task::AbortHandle, time::sleep};

use super::guesses;
use crate::issue::{Notices, Notifier};

/// Hears from the other stores of the schema, and tells them, with a connection of its own for each. A
/// notice that is lost with one of these is no more than late: whoever waits for it looks again anyway.
pub(super) struct Listening {
    notifiers: Arc<Notifiers>,
    /// There is something new.
    news: Arc<Notify>,
    tasks: [AbortHandle; 2],
}

#[derive(Default)]
struct Notifiers {
    news: Notifier,
    guesses: Notifier,
}

impl Notifiers {
    fn notify(&self, channel: &str) {
        match channel.starts_with(guesses::CHANNEL) {
            true => self.guesses.notify(),
            false => self.news.notify(),
        }
    }

    fn notify_all(&self) {
        self.news.notify();
        self.guesses.notify();
    }
}

/// How soon a connection is tried again that was lost.
const PAUSE: Duration = Duration::from_millis(250);
/// One notice stands for all that comes within so long: `NOTIFY` makes commits wait for each other.
const TOGETHER: Duration = Duration::from_millis(20);

impl Listening {
    pub(super) fn start(options: PgConnectOptions, schema: &str) -> Self {
        let channel = format!("tower_bearer:{schema}");
        let channels = [channel.clone(), format!("{}{schema}", guesses::CHANNEL)];
        let (notifiers, news) = (Arc::new(Notifiers::default()), Arc::new(Notify::new()));
        let pool = |options| PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
        let (hearing, telling) = (pool(options.clone()), pool(options));
        let hear = hear(hearing, channels, Arc::clone(&notifiers));
        let tell = tell(telling, channel, Arc::clone(&news));
        let tasks = [tokio::spawn(hear).abort_handle(), tokio::spawn(tell).abort_handle()];
        Self { notifiers, news, tasks }
    }

    pub(super) fn notices(&self) -> Notices {
        self.notifiers.news.notices()
    }

    pub(super) fn guesses(&self) -> Notices {
        self.notifiers.guesses.notices()
    }

    /// That there is something new, here at once.
    pub(super) fn tell(&self) {
        self.notifiers.news.notify();
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

async fn hear(pool: PgPool, channels: [String; 2], notifiers: Arc<Notifiers>) {
    loop {
        let ended = listen(&pool, &channels, &notifiers).await;
        // Something may have been said meanwhile.
        notifiers.notify_all();
        drop(ended);
        sleep(PAUSE).await;
    }
}

async fn listen(
    pool: &PgPool,
    channels: &[String],
    notifiers: &Notifiers,
) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen_all(channels.iter().map(String::as_str)).await?;
    loop {
        match listener.try_recv().await? {
            Some(notice) => notifiers.notify(notice.channel()),
            // The connection was lost and is there again: something may have been said meanwhile.
            None => notifiers.notify_all(),
        }
    }
}

async fn tell(pool: PgPool, channel: String, news: Arc<Notify>) {
    let statement = format!("NOTIFY \"{channel}\"");
    loop {
        news.notified().await;
        while pool.execute(&*statement).await.is_err() {
            sleep(PAUSE).await;
        }
        sleep(TOGETHER).await;
    }
}
