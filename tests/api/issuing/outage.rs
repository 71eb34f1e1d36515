//! A store that fails: nobody is blamed, nothing passes, and it works again afterwards.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use serde_json::json;
use tower_bearer::{
    event::{IssuingAction, Severity},
    issue::{
        AdminError, ApplicationRecord, Applied, Cascade, FamilyId, FamilyRecord, GuessLog,
        GuessPage, GuessRecord, KeyRecord, Notices, Past, Pending, Store, StoreError, Write,
    },
    revocation::{RevocationCursor, RevocationPage},
    store::Memory,
    time::UnixTime,
};

use super::world::{Answer, World};
use crate::support::NOW;

/// A store that fails or hangs while it is told to, and counts who asks.
#[derive(Clone)]
pub(super) struct Failing {
    store: Memory,
    reads: Arc<AtomicBool>,
    writes: Arc<AtomicBool>,
    /// Records are not added to the log of guesses; it can be read.
    logging: Arc<AtomicBool>,
    /// What fails is not told, but never comes back.
    hangs: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    /// How many writes still work.
    left: Arc<AtomicUsize>,
}

impl Default for Failing {
    fn default() -> Self {
        Self {
            store: Memory::new(),
            reads: Arc::default(),
            writes: Arc::default(),
            logging: Arc::default(),
            hangs: Arc::default(),
            asked: Arc::default(),
            left: Arc::new(usize::MAX.into()),
        }
    }
}

impl Failing {
    fn or<'a, T: Send + 'a>(&self, fails: &AtomicBool, then: Pending<'a, T>) -> Pending<'a, T> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match (fails.load(Ordering::SeqCst), self.hangs.load(Ordering::SeqCst)) {
            (true, true) => Box::pin(std::future::pending()),
            (true, false) => {
                Box::pin(async { Err(StoreError::new("test", "the disk is on fire")) })
            }
            (false, _) => then,
        }
    }

    fn log(&self) -> &dyn GuessLog {
        self.store.guess_log().unwrap()
    }

    pub(super) fn fail_to_log(&self, fails: bool) {
        self.logging.store(fails, Ordering::SeqCst);
    }

    fn fail(&self, reads: bool, writes: bool) {
        self.reads.store(reads, Ordering::SeqCst);
        self.writes.store(writes, Ordering::SeqCst);
        self.hangs.store(false, Ordering::SeqCst);
    }

    /// Hangs from now on, and does not fail.
    pub(super) fn hang(&self, reads: bool, writes: bool) {
        self.fail(reads, writes);
        self.hangs.store(true, Ordering::SeqCst);
    }

    pub(super) fn work(&self) {
        self.fail(false, false);
    }

    /// How often it was asked since somebody last wanted to know.
    pub(super) fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

impl Store for Failing {
    fn apply(&self, writes: Vec<Write>) -> Pending<'_, Applied> {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.fail(false, true);
        }
        self.or(&self.writes, self.store.apply(writes))
    }
    fn application<'a>(&'a self, id: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        self.or(&self.reads, self.store.application(id))
    }
    fn application_named<'a>(&'a self, name: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        self.or(&self.reads, self.store.application_named(name))
    }
    fn applications<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> Pending<'a, Vec<ApplicationRecord>> {
        self.or(&self.reads, self.store.applications(after, limit))
    }
    fn family(&self, id: FamilyId) -> Pending<'_, Option<FamilyRecord>> {
        self.or(&self.reads, self.store.family(id))
    }
    fn families(&self, after: Option<FamilyId>, limit: usize) -> Pending<'_, Vec<FamilyRecord>> {
        self.or(&self.reads, self.store.families(after, limit))
    }

    fn live_families<'a>(
        &'a self,
        application: &'a str,
        now: UnixTime,
        skip: usize,
        limit: usize,
    ) -> Pending<'a, Vec<FamilyRecord>> {
        self.or(&self.reads, self.store.live_families(application, now, skip, limit))
    }
    fn signing_keys(&self) -> Pending<'_, Vec<KeyRecord>> {
        self.or(&self.reads, self.store.signing_keys())
    }
    fn revocations_after<'a>(
        &'a self,
        after: Option<&'a RevocationCursor>,
        limit: usize,
    ) -> Pending<'a, RevocationPage> {
        self.or(&self.reads, self.store.revocations_after(after, limit))
    }

    fn guess_log(&self) -> Option<&dyn GuessLog> {
        Some(self)
    }

    fn purge(&self, past: Past, limit: usize) -> Pending<'_, u64> {
        self.or(&self.writes, self.store.purge(past, limit))
    }
}

impl GuessLog for Failing {
    fn add(&self, records: Vec<GuessRecord>) -> Pending<'_, ()> {
        self.or(&self.logging, self.log().add(records))
    }

    fn after(&self, place: u64, limit: usize) -> Pending<'_, GuessPage> {
        self.or(&self.reads, self.log().after(place, limit))
    }

    fn notices(&self) -> Notices {
        self.log().notices()
    }
}

async fn world() -> (World, Failing) {
    let store = Failing::default();
    (World::over(store.clone(), |server| server, |endpoints| endpoints).await, store)
}

#[track_caller]
fn is_unavailable(world: &World, answer: &Answer) {
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")), "{answer:?}");
    assert_eq!(
        (answer.header("www-authenticate"), answer.header("cache-control")),
        (None, Some("no-store"))
    );
    assert!(!answer.text.contains("oken\":"), "{answer:?}");
    assert!(!answer.text.contains("fire"), "{answer:?}");
    let event = world.last();
    assert_eq!((event.action, event.reason), (IssuingAction::StoreFailed, Some("store_failed")));
    assert_eq!(event.action.severity(), Severity::Critical);
    assert!(event.error.is_some());
}

/// I-TOKEN-34, I-REV-09, X-LOG-06
#[tokio::test]
async fn an_outage_is_503_everywhere_and_is_blamed_on_nobody() {
    let (world, store) = world().await;
    let pair = world.authenticate().await;
    for (reads, writes) in [(true, true), (false, true)] {
        store.fail(reads, writes);
        for _ in 0..10 {
            is_unavailable(&world, &world.authenticate().await);
        }
        is_unavailable(&world, &world.refresh(&pair.refresh()).await);
        let revoke = json!({ "refreshToken": pair.refresh() });
        is_unavailable(&world, &world.post("/api/Auth/revokeApplicationToken", &revoke).await);
        if reads {
            for path in ["/oauth2/token", "/oauth2/revoke", "/oauth2/introspect"] {
                let answer = world.form(path, "grant_type=client_credentials&token=x").await;
                is_unavailable(&world, &answer);
                assert_eq!(answer.text, r#"{"error":"temporarily_unavailable"}"#);
            }
        }
        assert!(world.server.maintain().await.is_err());
        store.fail(false, false);
        assert_eq!(world.authenticate().await.status, 200, "no failure was counted");
    }
    // What was refused consumed nothing. What was revoked is refused here, whatever became of the
    // store.
    assert_eq!(world.call(&pair.access()).await, 401);
    assert_eq!(world.refresh(&pair.refresh()).await.status, 200);
}

#[tokio::test]
async fn verification_goes_on_without_the_store() {
    let (world, store) = world().await;
    let access = world.authenticate().await.access();
    store.fail(true, true);
    store.asked();
    for _ in 0..10 {
        assert_eq!(world.call(&access).await, 200);
    }
    assert_eq!(store.asked(), 0);
}

/// X-BF-04, X-BF-09, I-SEC-02
#[tokio::test]
async fn what_can_be_refused_without_the_store_is() {
    let (world, store) = world().await;
    let pair = world.authenticate().await;
    store.asked();
    let token = pair.refresh();
    let last = if token.ends_with('A') { 'B' } else { 'A' };
    for forged in
        [format!("{}{last}", &token[..token.len() - 1]), "x".repeat(token.len()), String::new()]
    {
        assert_eq!(world.refresh(&forged).await.status, 401);
    }
    let mut mistyped = world.secret.expose().to_owned();
    mistyped.replace_range(10..11, if &mistyped[10..11] == "a" { "b" } else { "a" });
    for _ in 0..5 {
        assert_eq!(world.authenticate_with("App1", &mistyped).await.status, 401);
    }
    // Throttled, the right one is not looked at either.
    assert_eq!(world.authenticate().await.status, 429);
    assert_eq!(store.asked(), 0);
}

/// PostgreSQL refuses U+0000 in a text: asked for it, it would seem to be out of order.
#[tokio::test]
async fn a_name_that_no_application_can_have_is_unknown_without_the_store() {
    let (world, store) = world().await;
    let secrets = [world.secret.expose(), "correct horse battery"];
    let unknown = world.authenticate_with("App2", secrets[0]).await;
    store.asked();
    store.fail(true, true);
    for name in ["App1\0", "\0", "App1\n", "\u{7f}", "App1\u{85}"] {
        for secret in secrets {
            let answer = world.authenticate_with(name, secret).await;
            assert_eq!(answer.all(), unknown.all(), "{name:?}");
            let event = world.last();
            assert_eq!(event.reason, Some("unknown_application"));
            assert_eq!(event.unverified_application.as_deref(), Some(name));
        }
        let applications = world.server.applications();
        assert!(applications.named(name).await.unwrap().is_none());
        let error = applications.get(name).await.unwrap_err();
        assert!(matches!(error, AdminError::NotFound { .. }), "{error}");
        let error = applications.list(Some(name), 1).await.unwrap_err();
        assert!(matches!(error, AdminError::Invalid { .. }), "{error}");
        world.server.revoke_token(name, UnixTime::from_secs(NOW)).await.unwrap();
    }
    assert_eq!(store.asked(), 0);
    is_unavailable(&world, &world.authenticate_with("App1 ", secrets[0]).await);
}

#[tokio::test]
async fn a_server_does_not_open_over_a_store_that_fails() {
    let store = Failing::default();
    store.fail(true, false);
    let builder = tower_bearer::issue::AuthorizationServer::builder(store)
        .issuer("https://id.test")
        .keys(super::world::keys());
    let error = builder.open().await.unwrap_err();
    assert_eq!(error.to_string(), "the store failed: test");
}

/// What ends all that an application holds, and the change that says why, are one write: there is
/// nothing in between that an outage could leave behind.
#[tokio::test]
async fn an_application_ends_in_one_write_or_not_at_all() {
    for how in ["disable", "delete", "revoke_everything", "revoke_secret"] {
        for works in [0, 1] {
            let (world, store) = world().await;
            let pair = world.authenticate().await;
            let (applications, id) = (world.server.applications(), world.app.id());
            let secret = world.app.secrets().next().unwrap().id().to_owned();
            store.left.store(works, Ordering::SeqCst);
            let is_done = match how {
                "disable" => applications.disable(id).await.is_ok(),
                "delete" => applications.delete(id).await.is_ok(),
                "revoke_everything" => applications.revoke_everything(id).await.is_ok(),
                _ => applications.revoke_secret(id, &secret, Cascade::Yes).await.is_ok(),
            };
            assert_eq!(is_done, works == 1, "{how}");
            assert_eq!(world.call(&pair.access()).await, 401, "{how}: refused here in any case");
            store.left.store(usize::MAX, Ordering::SeqCst);
            store.fail(false, false);
            world.advance(1);
            let refreshed = world.refresh(&pair.refresh()).await.status;
            assert_eq!(refreshed, if is_done { 401 } else { 200 }, "{how}");
        }
    }
}
