//! What is asked and computed for whom, counted.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::*;
use crate::{
    issue::{
        Admission, AuthorizationServer, FamilyId, FamilyRecord, GuessAttempt, GuessLimiter,
        KeyRecord, NewApplication, Past, Pending, RootKey, ServerBuilder, ServerKeys, Store,
        work::{self, Work},
    },
    revocation::{RevocationCursor, RevocationPage},
};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const CHOSEN: &str = "correct horse battery staple";
const OTHER: &str = "another secret of somebody";

/// A store of applications and signing keys that counts how often it is asked for one of those.
#[derive(Clone, Default)]
struct Counting {
    rows: Arc<Mutex<(Vec<ApplicationRecord>, Vec<KeyRecord>)>>,
    asked: Arc<AtomicUsize>,
}

impl Counting {
    fn rows(&self) -> MutexGuard<'_, (Vec<ApplicationRecord>, Vec<KeyRecord>)> {
        self.rows.lock().unwrap()
    }

    fn find(&self, is_it: impl Fn(&ApplicationRecord) -> bool) -> Option<ApplicationRecord> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.rows().0.iter().find(|known| is_it(known)).cloned()
    }
}

fn now<'a, T: Send + 'a>(value: T) -> Pending<'a, T> {
    Box::pin(async { Ok(value) })
}

impl Store for Counting {
    fn apply(&self, writes: Vec<Write>) -> Pending<'_, Applied> {
        let (applications, keys) = &mut *self.rows();
        for write in writes {
            match write {
                Write::InsertApplication(record) => applications.push(record),
                Write::ReplaceApplication(record) => {
                    applications.retain(|known| known.id != record.id);
                    applications.push(record);
                }
                Write::InsertKey { key, .. } => keys.push(key),
                _ => {}
            }
        }
        now(Applied::Done)
    }
    fn application<'a>(&'a self, id: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        now(self.find(|known| known.id == id))
    }
    fn application_named<'a>(&'a self, name: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        now(self.find(|known| known.name == name))
    }
    fn applications<'a>(
        &'a self,
        _after: Option<&'a str>,
        _limit: usize,
    ) -> Pending<'a, Vec<ApplicationRecord>> {
        now(Vec::new())
    }
    fn family(&self, _id: FamilyId) -> Pending<'_, Option<FamilyRecord>> {
        now(None)
    }
    fn families(&self, after: Option<FamilyId>, limit: usize) -> Pending<'_, Vec<FamilyRecord>> {
        let _ = (after, limit);
        now(Vec::new())
    }

    fn live_families<'a>(
        &'a self,
        _application: &'a str,
        _now: UnixTime,
        _skip: usize,
        _limit: usize,
    ) -> Pending<'a, Vec<FamilyRecord>> {
        now(Vec::new())
    }
    fn signing_keys(&self) -> Pending<'_, Vec<KeyRecord>> {
        now(self.rows().1.clone())
    }
    fn revocations_after<'a>(
        &'a self,
        _after: Option<&'a RevocationCursor>,
        _limit: usize,
    ) -> Pending<'a, RevocationPage> {
        let next = RevocationCursor::new("1").unwrap();
        now(RevocationPage { entries: Vec::new(), next, has_more: false })
    }
    fn purge(&self, _past: Past, _limit: usize) -> Pending<'_, u64> {
        now(0)
    }
}

/// A server with two peppers, and what is asked of its store.
struct Counted {
    server: AuthorizationServer,
    store: Counting,
    sources: AtomicU8,
}

/// The reason, how often the store was asked, and what was computed.
type Cost = (&'static str, usize, Vec<Work>);

impl Counted {
    async fn with(change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let store = Counting::default();
        let root = |byte| RootKey::from_bytes([byte; 32]);
        let builder = AuthorizationServer::builder(store.clone())
            .issuer("https://id.test")
            .keys(ServerKeys::new(&root(1)).with_previous(&root(2)))
            .clock(NOW);
        let server = change(builder).open().await.unwrap();
        Self { server, store, sources: AtomicU8::new(0) }
    }

    /// An application of this name with a generated secret, and these chosen ones.
    async fn application(&self, name: &str, chosen: &[&str]) -> (String, String) {
        let applications = self.server.applications();
        let new = NewApplication::new(name).audience("https://api.test");
        let (app, secret) = applications.create(new).await.unwrap();
        for (place, chosen) in chosen.iter().enumerate() {
            if place > 0 {
                // There is room for two.
                let app = applications.get(app.id()).await.unwrap();
                let first = app.secrets().next().unwrap().id().to_owned();
                applications
                    .revoke_secret(app.id(), &first, crate::issue::Cascade::No)
                    .await
                    .unwrap();
            }
            applications.add_chosen_secret(app.id(), "chosen", chosen).await.unwrap();
        }
        (app.id().to_owned(), secret.expose().to_owned())
    }

    /// What it costs to authenticate from a source that did nothing before.
    async fn cost(&self, who: Who<'_>, secret: &str) -> Cost {
        let last = self.sources.fetch_add(1, Ordering::SeqCst);
        self.cost_from(Source::Address(Ipv4Addr::new(192, 0, 2, last).into()), who, secret).await
    }

    async fn cost_from(&self, source: Source, who: Who<'_>, secret: &str) -> Cost {
        self.store.asked.store(0, Ordering::SeqCst);
        work::take();
        let outcome = self.server.core.authenticate(Credentials { who, secret, source }).await;
        let reason = outcome.map_or_else(|refusal| refusal.reason, |_| "none");
        (reason, self.store.asked.load(Ordering::SeqCst), work::take())
    }
}

/// I-SEC-08, I-TOKEN-15
#[tokio::test]
async fn whoever_is_refused_costs_as_much_as_who_is_known() {
    let counted = Counted::with(|server| server).await;
    let (one, generated) = counted.application("One", &[CHOSEN]).await;
    let (two, _) = counted.application("Two", &[CHOSEN, OTHER]).await;
    let (none, other) = counted.application("None", &[]).await;
    let (off, of_off) = counted.application("Off", &[CHOSEN]).await;
    counted.server.applications().disable(&off).await.unwrap();
    let unknown = "app_aaaaaaaaaaaaaaaaaaaaaa";

    let hash = vec![Work::Hash(19_456, 2, 1)];
    for (reason, name, id, secret) in [
        ("none", "One", &*one, CHOSEN),
        ("none", "Two", &two, CHOSEN),
        ("none", "Two", &two, OTHER),
        ("wrong_secret", "One", &one, OTHER),
        ("wrong_secret", "Two", &two, "a third secret of somebody"),
        ("wrong_secret", "None", &none, CHOSEN),
        ("disabled_application", "Off", &off, CHOSEN),
        ("wrong_secret", "Off", &off, OTHER),
        ("unknown_application", "Nobody", unknown, CHOSEN),
        ("unknown_application", "Nobody", "x", CHOSEN),
    ] {
        let cost = (reason, 1, hash.clone());
        assert_eq!(counted.cost(Who::Named(name), secret).await, cost, "{name}: {secret}");
        assert_eq!(counted.cost(Who::Id(id), secret).await, cost, "{name}: {secret}");
    }

    // One for each pepper.
    let tags = vec![Work::Tag(one.len() + 1 + generated.len()); 2];
    for (reason, name, id, secret) in [
        ("none", "One", &*one, &generated),
        ("wrong_secret", "One", &one, &other),
        ("wrong_secret", "Two", &two, &other),
        ("none", "None", &none, &other),
        ("wrong_secret", "None", &none, &generated),
        ("disabled_application", "Off", &off, &of_off),
        ("unknown_application", "Nobody", unknown, &generated),
        ("unknown_application", "Nobody", "x", &generated),
    ] {
        let cost = (reason, 1, tags.clone());
        assert_eq!(counted.cost(Who::Named(name), secret).await, cost, "{name}: {secret}");
        assert_eq!(counted.cost(Who::Id(id), secret).await, cost, "{name}: {secret}");
    }
}

/// Lets nobody in.
struct Nobody;

impl GuessLimiter for Nobody {
    fn admit<'a>(&'a self, _attempt: GuessAttempt<'a>) -> Admission<'a> {
        Box::pin(async { Err(Duration::from_secs(60)) })
    }
    fn failed(&self, _attempt: GuessAttempt<'_>) {}
}

/// X-BF-04
#[tokio::test]
async fn who_is_throttled_costs_nothing() {
    let counted = Counted::with(|server| server).await;
    let (id, generated) = counted.application("One", &[CHOSEN]).await;
    let source = Source::Address(Ipv4Addr::new(203, 0, 113, 1).into());
    for who in [Who::Named("One"), Who::Id(&id), Who::Named("Nobody")] {
        for _ in 0..5 {
            let (_, asked, work) = counted.cost_from(source, who, OTHER).await;
            assert_eq!((asked, work.len()), (1, 1), "nothing is counted");
        }
        for secret in [CHOSEN, &generated] {
            assert_eq!(counted.cost_from(source, who, secret).await, ("pair", 0, Vec::new()));
        }
    }

    let counted = Counted::with(|server| server.guess_limiter(Nobody)).await;
    let (_, generated) = counted.application("One", &[CHOSEN]).await;
    for secret in [CHOSEN, &generated] {
        let cost = counted.cost(Who::Named("One"), secret).await;
        assert_eq!(cost, ("external", 0, Vec::new()));
    }
}

/// I-SEC-02
#[tokio::test]
async fn a_mistyped_secret_costs_nothing() {
    let counted = Counted::with(|server| server).await;
    let (_, generated) = counted.application("One", &[]).await;
    let mistyped = generated.replace("tbs_", "tbt_");
    let cost = counted.cost(Who::Named("One"), &mistyped).await;
    assert_eq!(cost, ("mistyped_secret", 0, Vec::new()));
}
