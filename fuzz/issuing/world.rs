//! A server with one application and its tokens, and a store that looks at what it is asked.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;
use tower_bearer::{
    Algorithm, Verifier,
    issue::{
        ApplicationRecord, Applied, AuthorizationServer, FamilyId, FamilyRecord, FindSource,
        KeyRecord, NewApplication, Past, Pending, RootKey, SecretRecord, ServerKeys, Store, Write,
        endpoints::Endpoints,
    },
    revocation::{RevocationCursor, RevocationPage},
    scope::ScopeSet,
    store::Memory,
    test_util::FrozenClock,
    time::UnixTime,
};

const NOW: u64 = 1_800_000_000;
const API: &str = "https://api.test";

pub(crate) const AUTHENTICATE: &str = "/api/Auth/authenticateApplication";
pub(crate) const REFRESH: &str = "/api/Auth/refreshApplicationToken";

/// Hashes of chosen secrets are computed on threads of this.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().build().expect("a runtime"));

/// One for each input. A server that served the inputs before would throttle this one, whatever its
/// source: there is a limit for all sources together, and time stands still. A new server costs
/// less than the requests, as with HS256 its key is but random bytes.
pub(crate) struct World {
    endpoints: Endpoints,
    store: Watched,
    verifier: Verifier,
    pub(crate) id: String,
    pub(crate) secret: String,
    /// From the product's endpoint.
    pub(crate) access: String,
    pub(crate) refresh: String,
    /// From that of OAuth.
    pub(crate) oauth_refresh: String,
    /// What another application has: its secret, and a refresh token.
    pub(crate) other: [String; 2],
}

impl World {
    pub(crate) fn new() -> Self {
        RUNTIME.block_on(Self::open())
    }

    async fn open() -> Self {
        let (clock, store) = (FrozenClock::at(NOW), Watched::default());
        let server = AuthorizationServer::builder(store.clone())
            .issuer("https://id.test")
            .keys(ServerKeys::new(&RootKey::from_bytes([1; 32])))
            .algorithm(Algorithm::Hs256)
            .clock(clock.clone())
            .on_event(())
            .open()
            .await
            .expect("the server is sound");
        let scopes = ScopeSet::parse("reports:read reports:write").expect("scopes");
        let applications = server.applications();
        let create = async |name| {
            let new = NewApplication::new(name).audience(API).scopes(scopes.clone());
            let new = new.oauth_refresh();
            applications.create(new).await.expect("the application is sound")
        };
        let (app, secret) = create("App1").await;
        let (other, other_secret) = create("App2").await;
        store.add_cheap_secret(app.id()).await;
        let verifier = Verifier::builder()
            .issuer(server.trusted().audience(API))
            .clock(clock)
            .on_event(())
            .build()
            .expect("the verifier is sound");
        let endpoints = Endpoints::builder(server, FindSource::unknown()).build();
        let mut world = Self {
            endpoints: endpoints.expect("the endpoints are sound"),
            store,
            verifier,
            id: app.id().to_owned(),
            secret: secret.expose().to_owned(),
            access: String::new(),
            refresh: String::new(),
            oauth_refresh: String::new(),
            other: [other_secret.expose().to_owned(), String::new()],
        };
        world.get_tokens(other.id()).await;
        world
    }

    async fn get_tokens(&mut self, other: &str) {
        let body = format!(r#"{{"applicationName":"App1","applicationSecret":"{}"}}"#, self.secret);
        let pair = self.answer(json(AUTHENTICATE, body.into())).await.json();
        self.access = pair["accessToken"].as_str().expect("a token").to_owned();
        self.refresh = pair["refreshToken"].as_str().expect("a token").to_owned();
        self.oauth_refresh = self.oauth_token(&self.id, &self.secret).await;
        self.other[1] = self.oauth_token(other, &self.other[0]).await;
    }

    async fn oauth_token(&self, id: &str, secret: &str) -> String {
        let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let granted = self.answer(form("/oauth2/token", body.into())).await.json();
        granted["refresh_token"].as_str().expect("a token").to_owned()
    }

    /// The input, with what the server made at random in the place of what stands for it.
    pub(crate) fn filled(&self, data: &[u8]) -> Vec<u8> {
        let coded: String = self.secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let names: [(&[u8], &str); 8] = [
            (b"$ID", &self.id),
            (b"$SECRET", &self.secret),
            (b"$CODED", &coded),
            (b"$ACCESS", &self.access),
            (b"$REFRESH", &self.refresh),
            (b"$OAUTH", &self.oauth_refresh),
            (b"$OTHER", &self.other[0]),
            (b"$THEIRS", &self.other[1]),
        ];
        let (mut filled, mut rest) = (Vec::new(), data);
        while let Some((first, after)) = rest.split_first() {
            match names.iter().find(|(name, _)| rest.starts_with(name)) {
                Some((name, value)) => {
                    filled.extend(value.bytes());
                    rest = &rest[name.len()..];
                }
                None => {
                    filled.push(*first);
                    rest = after;
                }
            }
        }
        filled
    }

    pub(crate) fn send(&self, request: Request<Vec<u8>>) -> Answer {
        RUNTIME.block_on(self.answer(request))
    }

    async fn answer(&self, request: Request<Vec<u8>>) -> Answer {
        let request = request.map(|body| Full::new(std::io::Cursor::new(body)));
        let Ok(response) = self.endpoints.clone().oneshot(request).await;
        let (head, body) = response.into_parts();
        let Ok(body) = body.collect().await;
        let text = String::from_utf8(body.to_bytes().into()).expect("an answer is UTF-8");
        Answer { status: head.status.as_u16(), headers: head.headers, text }
    }

    /// How often somebody has looked for a family.
    pub(crate) fn family_lookups(&self) -> usize {
        self.store.family_lookups.load(Ordering::Relaxed)
    }

    /// What was handed out before still does what it did. Uses it up.
    pub(crate) fn assert_unharmed(self) {
        self.verifier.verify_now(&self.access).expect("the access token is good");
        let body = serde_json::json!({ "refreshToken": self.refresh }).to_string();
        let answer = self.send(json(REFRESH, body.into()));
        assert_eq!(answer.status, 200, "{answer:?}");
        let (id, secret, token) = (&self.id, &self.secret, &self.oauth_refresh);
        let body = format!(
            "grant_type=refresh_token&client_id={id}&client_secret={secret}&refresh_token={token}"
        );
        let answer = self.send(form("/oauth2/token", body.into()));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

pub(crate) fn json(path: &str, body: Vec<u8>) -> Request<Vec<u8>> {
    post(path, "application/json", body)
}

pub(crate) fn form(path: &str, body: Vec<u8>) -> Request<Vec<u8>> {
    post(path, "application/x-www-form-urlencoded", body)
}

fn post(path: &str, media_type: &str, body: Vec<u8>) -> Request<Vec<u8>> {
    let request = Request::post(path).header("content-type", media_type);
    request.body(body).expect("a request")
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// A store in memory that is never asked for what cannot be.
///
/// It has an application of every name and id but `nobody`, with a secret whose hash is cheap: else
/// the most of the time would go into the hash that is computed for applications that do not exist.
#[derive(Clone, Default)]
struct Watched {
    memory: Memory,
    family_lookups: Arc<AtomicUsize>,
}

impl Watched {
    /// A chosen secret, so that guesses at the real application are cheap as well.
    async fn add_cheap_secret(&self, id: &str) {
        let found = self.memory.application(id).await.expect("memory does not fail");
        let mut record = found.expect("the application is there");
        record.version += 1;
        record.secrets.push(cheap_secret());
        let applied = self.memory.apply(vec![Write::ReplaceApplication(record)]).await;
        assert_eq!(applied.expect("memory does not fail"), Applied::Done);
    }
}

impl Store for Watched {
    fn apply(&self, writes: Vec<Write>) -> Pending<'_, Applied> {
        self.memory.apply(writes)
    }

    fn application<'a>(&'a self, id: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        assert!(
            (1..=128).contains(&id.len()) && id.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        );
        Box::pin(async move { Ok(self.memory.application(id).await?.or_else(|| decoy(id))) })
    }

    fn application_named<'a>(&'a self, name: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        assert!((1..=128).contains(&name.len()) && !name.chars().any(char::is_control));
        Box::pin(
            async move { Ok(self.memory.application_named(name).await?.or_else(|| decoy(name))) },
        )
    }

    fn applications<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> Pending<'a, Vec<ApplicationRecord>> {
        self.memory.applications(after, limit)
    }

    fn family(&self, id: FamilyId) -> Pending<'_, Option<FamilyRecord>> {
        self.family_lookups.fetch_add(1, Ordering::Relaxed);
        self.memory.family(id)
    }

    fn families(&self, after: Option<FamilyId>, limit: usize) -> Pending<'_, Vec<FamilyRecord>> {
        self.memory.families(after, limit)
    }

    fn live_families<'a>(
        &'a self,
        application: &'a str,
        now: UnixTime,
        skip: usize,
        limit: usize,
    ) -> Pending<'a, Vec<FamilyRecord>> {
        self.memory.live_families(application, now, skip, limit)
    }

    fn signing_keys(&self) -> Pending<'_, Vec<KeyRecord>> {
        self.memory.signing_keys()
    }

    fn revocations_after<'a>(
        &'a self,
        after: Option<&'a RevocationCursor>,
        limit: usize,
    ) -> Pending<'a, RevocationPage> {
        self.memory.revocations_after(after, limit)
    }

    fn purge(&self, past: Past, limit: usize) -> Pending<'_, u64> {
        self.memory.purge(past, limit)
    }
}

fn decoy(asked: &str) -> Option<ApplicationRecord> {
    (asked != "nobody").then(|| ApplicationRecord {
        id: "app_0000000000000000000000".to_owned(),
        name: asked.to_owned(),
        version: 0,
        enabled: true,
        scopes: ScopeSet::empty(),
        audiences: vec![API.to_owned()],
        access_lifetime: None,
        oauth_refresh: true,
        introspects: true,
        created_at: UnixTime::from_secs(NOW),
        secrets: vec![cheap_secret()],
    })
}

/// Nobody knows it: the hash is made up.
fn cheap_secret() -> SecretRecord {
    SecretRecord {
        id: "cheap".to_owned(),
        digest: format!("$argon2id$v=19$m=8,t=1,p=1${}${}", "A".repeat(22), "A".repeat(43)),
        label: "cheap".to_owned(),
        created_at: UnixTime::from_secs(NOW),
        expires_at: UnixTime::from_secs(NOW + 3600),
        last_used_at: None,
    }
}
