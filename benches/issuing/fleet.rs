//! A hundred services that verify, and follow what is revoked: how long it takes until all know.

use std::time::{Duration, Instant};

use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tower::ServiceExt as _;
use tower_bearer::{
    issue::{Store as _, StoreSource, Write, endpoints::Endpoints},
    remote_keys::Fetching,
    revocation::{
        Revocation, RevocationFeed, StalePolicy,
        feed::{HttpSource, RevocationSource},
    },
    store::Postgres,
    time::{Clock as _, SystemClock},
};

use crate::{
    database::busy,
    feed::id,
    load::{URL, postgres},
    shared::Options,
    world::World,
};

const SERVICES: usize = 100;

pub(crate) async fn run(options: &Options) {
    let Some((store, schema)) = postgres("fleet").await else {
        return;
    };
    let times = if options.smoke { 2 } else { 300 };
    println!("\nfleet: {SERVICES} services that follow what is revoked");
    let url = std::env::var(URL).expect("the address");
    let mut feeds = Vec::new();
    for _ in 0..SERVICES {
        // Each is a service of its own, with connections of its own.
        let own = Postgres::builder(url.clone()).schema(&*schema).connections(2);
        feeds.push(start(StoreSource::new(own.connect().await.expect("the database"))));
    }
    measure("from the database", &store, &feeds, times).await;
    drop(feeds);

    let world = World::new(store.clone(), 1).await;
    let (service, secret) = world.service().await;
    let feeds: Vec<_> = (0..SERVICES)
        .map(|_| {
            let url = "https://id.test/revocations";
            let source = HttpSource::new(url, service.id(), secret.expose()).expect("a source");
            start(source.fetch(direct(world.endpoints.clone())))
        })
        .collect();
    measure("from one server", &store, &feeds, times).await;
}

/// Hands requests to the endpoints, without a network between.
fn direct(endpoints: Endpoints) -> impl Fn(Request<()>) -> Fetching + Send + Sync + 'static {
    move |request| {
        let asked = request.map(|()| Full::<bytes::Bytes>::default());
        let answered = endpoints.clone().oneshot(asked);
        Box::pin(async move {
            let (head, body) = answered.await?.into_parts();
            let body = body.collect().await?.to_bytes().to_vec();
            Ok(Response::from_parts(head, body))
        })
    }
}

fn start(source: impl RevocationSource) -> RevocationFeed {
    RevocationFeed::builder(source, StalePolicy::Refuse).on_event(()).start().expect("a feed")
}

/// Revokes one thing after the other, each when all know of the last.
async fn measure(name: &str, store: &Postgres, feeds: &[RevocationFeed], times: usize) {
    let known = store.revocations(SystemClock.now()).await.expect("revocations").len();
    all_know(feeds, known).await;
    let idle = Instant::now();
    let before = busy();
    tokio::time::sleep(Duration::from_secs(if times > 2 { 10 } else { 0 })).await;
    let idle = (busy().saturating_sub(before)).as_secs_f64() / idle.elapsed().as_secs_f64();

    let until = SystemClock.now().saturating_add(Duration::from_secs(3600));
    let (mut delays, before) = (Vec::new(), busy());
    for number in 0..times {
        let revoked = Revocation::family(id(known + number), until);
        let written = store.apply(vec![Write::Revoke(revoked)]).await;
        let _ = written.expect("a write");
        let start = Instant::now();
        all_know(feeds, known + number + 1).await;
        delays.push(start.elapsed());
    }
    let busy = busy().saturating_sub(before).as_secs_f64() * 1e3 / times as f64;
    delays.sort();
    let (median, most) = (delays[times / 2], delays[times - 1 - times / 100]);
    println!(
        "  {name:<20} all know after {median:.1?} (median), {most:.1?} (p99); \
         the database is busy for {busy:.0} ms with each, and {:.1} % of a core without",
        idle * 100.0
    );
}

async fn all_know(feeds: &[RevocationFeed], count: usize) {
    for feed in feeds {
        feed.known(count).await;
    }
}
