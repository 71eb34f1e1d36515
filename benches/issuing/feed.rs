//! What it takes to learn of everything that was revoked, from a store and over HTTP.

use std::time::{Duration, Instant};

use http::Request;
use http_body_util::{BodyExt as _, Full};
use tower::ServiceExt as _;
use tower_bearer::{
    issue::{Store, StoreSource, Write},
    revocation::{Revocation, RevocationFeed, StalePolicy},
    store::Memory,
    time::{Clock as _, SystemClock},
};

use crate::{shared::Options, world::World};

pub(crate) async fn run(options: &Options) {
    println!("\nfeed: everything that was revoked");
    let count = if options.smoke { 1_000 } else { 1_000_000 };
    snapshot("Memory", Memory::new(), count).await;
    #[cfg(feature = "postgres")]
    if let Some((store, _)) = crate::load::postgres("feed").await {
        snapshot("PostgreSQL", store, count).await;
    }
    over_http(count / 100).await;
}

pub(crate) async fn fill(store: &impl Store, count: usize) {
    let until = SystemClock.now().saturating_add(Duration::from_secs(3600));
    let ids: Vec<_> = (0..count).map(id).collect();
    for some in ids.chunks(1000) {
        let revoke = |id: &String| Write::Revoke(Revocation::family(id, until));
        let _ = store.apply(some.iter().map(revoke).collect()).await.expect("a write");
    }
}

/// As long as that of a family.
pub(crate) fn id(number: usize) -> String {
    format!("{number:021}A")
}

async fn snapshot(name: &str, store: impl Store + Clone, count: usize) {
    let start = Instant::now();
    fill(&store, count).await;
    let filled = start.elapsed();
    let start = Instant::now();
    let source = StoreSource::new(store);
    let feed = RevocationFeed::builder(source, StalePolicy::Refuse).start().expect("a feed");
    feed.known(count).await;
    println!(
        "  {name}: {count} revocations written in {filled:.1?}, known to a feed in {:.1?}",
        start.elapsed()
    );
}

async fn over_http(count: usize) {
    let store = Memory::new();
    fill(&store, count).await;
    let world = World::new(store, 1).await;
    let (service, secret) = world.service().await;
    let pair = format!("{}:{}", service.id(), secret.expose());
    let basic = format!("Basic {}", base64_simd::STANDARD.encode_to_string(pair));
    let (mut after, mut bytes, mut requests) = (String::new(), 0, 0);
    let start = Instant::now();
    loop {
        let request = Request::get(format!("/revocations?after={after}"))
            .header("authorization", &basic)
            .body(Full::<bytes::Bytes>::default())
            .expect("a request");
        let answer = world.endpoints.clone().oneshot(request).await.expect("an answer");
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        let page: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        (bytes, requests) = (bytes + body.len(), requests + 1);
        if page["more"] != true {
            break;
        }
        page["next"].as_str().expect("a cursor").clone_into(&mut after);
    }
    println!(
        "  over HTTP: {count} revocations in {requests} answers, {} bytes each, {:.1?}",
        bytes / count,
        start.elapsed()
    );
}
