//! A feed of revocations goes on when the database is restarted, when the line to it is cut, and under a
//! flood.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, UnixStream},
    sync::{Notify, mpsc},
};
use tower_bearer::{
    AuthErrorKind, Verifier,
    event::AuthEvent,
    issue::StoreSource,
    revocation::{RevocationFeed, StalePolicy},
    test_util::{FrozenClock, TestIssuer},
};

use super::*;

const NOW: u64 = 1_800_000_000;

fn feed(store: Postgres, clock: &FrozenClock) -> (RevocationFeed, mpsc::UnboundedReceiver<String>) {
    let (sender, events) = mpsc::unbounded_channel();
    let feed = RevocationFeed::builder(StoreSource::new(store), StalePolicy::Refuse)
        .stale_after(Duration::from_secs(30))
        .clock(clock.clone())
        .on_event(move |event: &AuthEvent| drop(sender.send(event.code().to_owned())))
        .start()
        .unwrap();
    (feed, events)
}

/// Far more than it takes.
async fn known(feed: &RevocationFeed, count: usize) {
    tokio::time::timeout(Duration::from_secs(60), feed.known(count)).await.unwrap();
}

#[tokio::test]
async fn a_restart_of_the_database_loses_nothing_and_needs_none_of_the_service() {
    let Some(mut server) = Server::start() else { return };
    let builder = server.store().timeout(Duration::from_millis(500));
    let (issuing, reading) =
        (builder.clone().connect().await.unwrap(), builder.connect().await.unwrap());
    let clock = FrozenClock::at(NOW);
    let (feed, mut events) = feed(reading, &clock);
    let issuer = TestIssuer::new().with_clock(clock.clone());
    let trusted = issuer.trusted().revocations(feed.revocations());
    let verifier: Verifier =
        Verifier::builder().issuer(trusted).clock(clock.clone()).build().unwrap();
    let token = issuer.token().sign();
    let _ = issuing.apply(revoke("one")).await.unwrap();
    known(&feed, 1).await;

    server.stop();
    assert!(verifier.verify_now(&token).is_ok(), "verification goes on untouched");
    clock.advance(Duration::from_secs(31));
    let refused = verifier.verify_now(&token).unwrap_err();
    assert_eq!(refused.kind(), AuthErrorKind::RevocationsUnavailable);
    assert_eq!(events.recv().await.unwrap(), "revocations_stale");

    server.go_on();
    assert_eq!(events.recv().await.unwrap(), "revocations_current");
    assert!(verifier.verify_now(&token).is_ok());
    // Connections that were idle are dead, and each is found so when it is first used.
    let mut failures = 0;
    while issuing.apply(revoke("two")).await.is_err() {
        failures += 1;
        assert!(failures <= 10, "the store does not recover");
    }
    known(&feed, 2).await;
}

/// A line to the database that can be cut, so that nothing comes through in either direction and nobody is
/// told.
struct Wire {
    port: u16,
    is_cut: Arc<AtomicBool>,
    cut: Arc<Notify>,
}

impl Wire {
    async fn to(socket: std::path::PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (is_cut, cut) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let (now_cut, when_cut) = (Arc::clone(&is_cut), Arc::clone(&cut));
        tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let (socket, now_cut, when_cut) =
                    (socket.clone(), Arc::clone(&now_cut), Arc::clone(&when_cut));
                tokio::spawn(async move {
                    if now_cut.load(Ordering::SeqCst) {
                        std::future::pending::<()>().await;
                    }
                    let mut far = UnixStream::connect(socket).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        () = when_cut.notified() => std::future::pending().await,
                    }
                });
            }
        });
        Self { port, is_cut, cut }
    }

    fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        self.cut.notify_waiters();
    }

    fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_line_that_is_cut_makes_the_feed_stale_until_it_is_mended() {
    let Some(server) = Server::shared() else { return };
    let builder = server.store().schema("cut").timeout(Duration::from_millis(300));
    let issuing = builder.connect().await.unwrap();
    let wire = Wire::to(server.socket()).await;
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", wire.port);
    let reading = Postgres::builder(url).schema("cut").timeout(Duration::from_millis(300));
    let clock = FrozenClock::at(NOW);
    let (feed, mut events) = feed(reading.connect().await.unwrap(), &clock);
    let _ = issuing.apply(revoke("one")).await.unwrap();
    known(&feed, 1).await;

    wire.cut();
    let _ = issuing.apply(revoke("two")).await.unwrap();
    clock.advance(Duration::from_secs(31));
    assert_eq!(events.recv().await.unwrap(), "revocations_stale");
    assert_eq!(feed.status().revocations, 1);
    wire.mend();
    assert_eq!(events.recv().await.unwrap(), "revocations_current");
    known(&feed, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_revocations_is_followed_to_its_end() {
    const FLOOD: usize = 100_000;
    let Some(server) = Server::shared() else { return };
    let builder = server.store();
    let (issuing, reading) =
        (builder.clone().connect().await.unwrap(), builder.connect().await.unwrap());
    let clock = FrozenClock::at(NOW);
    let (feed, _events) = feed(reading, &clock);
    feed.ready().await;
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let issuing = issuing.clone();
            tokio::spawn(async move {
                let ids: Vec<_> = (0..FLOOD / 8).map(|id| format!("{writer}-{id}")).collect();
                for some in ids.chunks(50) {
                    let writes = some.iter().flat_map(|id| revoke(id)).collect();
                    let _ = issuing.apply(writes).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let ended = std::time::Instant::now();
    known(&feed, FLOOD).await;
    let status = feed.status();
    println!(
        "known {:?} after the last write; the lag was at most {:?}",
        ended.elapsed(),
        status.max_lag
    );
    assert_eq!(status.revocations, FLOOD);
    assert!(status.max_lag.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn servers_that_forget_at_the_same_time_forget_everything_once() {
    let Some(server) = Server::shared() else { return };
    let builder = server.store();
    let store = builder.clone().connect().await.unwrap();
    let writes: Vec<_> = (0..3000).flat_map(|id| revoke(&id.to_string())).collect();
    let _ = store.apply(writes).await.unwrap();
    let start = UnixTime::from_secs(0);
    let past = tower_bearer::issue::Past {
        families_before: start,
        revocations_before: UnixTime::from_secs(11),
        keys_before: start,
    };
    let mut purging = Vec::new();
    for _ in 0..3 {
        let store = builder.clone().connect().await.unwrap();
        purging.push(tokio::spawn(async move {
            let mut forgotten = 0;
            loop {
                match store.purge(past, 100).await.unwrap() {
                    0 => return forgotten,
                    some => forgotten += some,
                }
            }
        }));
    }
    let mut forgotten = 0;
    for purging in purging {
        forgotten += purging.await.unwrap();
    }
    assert_eq!((forgotten, revoked(&store).await.len()), (3000, 0));
}
