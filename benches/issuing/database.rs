//! What each operation costs a PostgreSQL database: its processes, its log, its rows.

use std::{
    fs,
    time::{Duration, Instant},
};

use sqlx::{Connection as _, Executor as _, PgConnection};
use tower_bearer::{
    issue::{Guess, GuessRecord, Store as _, endpoints::Endpoints},
    store::Postgres,
};

use crate::{
    feed::fill,
    load::{URL, postgres},
    shared::Options,
    world::{World, answer, authenticate, refresh, refresh_token, revoke},
};

pub(crate) async fn run(options: &Options) {
    let Some((store, schema)) = postgres("database").await else {
        return;
    };
    println!("\ndatabase: one caller after the other");
    let (applications, times) = if options.smoke { (10, 10) } else { (10_000, 5_000) };
    let World { endpoints, server, clients, .. } = World::new(store.clone(), applications).await;
    let url = std::env::var(URL).expect("the address");
    let beside = PgConnection::connect(&url).await.expect("a connection");
    let mut site = Site { endpoints, store: store.clone(), schema, beside, times };
    let mut tokens = Vec::new();
    let mut next = clients.iter().cycle();
    site.measure("authenticate", async |site| {
        let Some(client) = next.next() else { return };
        let (_, pair) = answer(&mut site.endpoints, authenticate(client)).await;
        tokens.push(refresh_token(&pair));
    })
    .await;
    let mut number = 0;
    site.measure("refresh", async |site| {
        let (_, pair) = answer(&mut site.endpoints, refresh(&tokens[number])).await;
        tokens[number] = refresh_token(&pair);
        number += 1;
    })
    .await;
    site.measure("revoke a family", async |site| {
        let Some(token) = tokens.pop() else { return };
        answer(&mut site.endpoints, revoke(&token)).await;
    })
    .await;
    let start = site.store.revocations_after(None, usize::MAX).await.expect("a page").next;
    site.measure("look for revocations, none", async |site| {
        let page = site.store.revocations_after(Some(&start), 10_000).await;
        assert!(page.expect("a page").entries.is_empty());
    })
    .await;
    site.measure("look for signing keys", async |site| {
        site.store.signing_keys().await.expect("the keys");
    })
    .await;
    let guess = Guess::Failed { pair: Some(2), source: Some(3), times: 1 };
    let guesses = vec![GuessRecord { server: 1, guess }; 10];
    let log = store.guess_log().expect("a log");
    site.measure("tell ten guesses", async |_| {
        log.add(guesses.clone()).await.expect("a write");
    })
    .await;
    let last = log.after(0, usize::MAX).await.expect("a page").next;
    site.measure("look for guesses, none", async |_| {
        let page = log.after(last, 1000).await;
        assert!(page.expect("a page").entries.is_empty());
    })
    .await;
    drop(server);
    // More revocations, as those of the families are few.
    fill(&store, applications).await;
    for table in ["application", "secret", "family", "revocation", "guess"] {
        site.rows(table).await;
    }
}

struct Site {
    endpoints: Endpoints,
    store: Postgres,
    schema: String,
    /// To ask the database about itself.
    beside: PgConnection,
    times: usize,
}

impl Site {
    async fn measure(&mut self, name: &str, mut operation: impl AsyncFnMut(&mut Self)) {
        let (log, before, start) = (self.log().await, busy(), Instant::now());
        for _ in 0..self.times {
            operation(self).await;
        }
        let each = |all: Duration| all.as_secs_f64() * 1e6 / self.times as f64;
        let (time, busy) = (each(start.elapsed()), each(busy().saturating_sub(before)));
        let log = (self.log().await - log) / self.times as f64;
        println!(
            "  {name:<30} {time:>6.0} µs, database {busy:>5.0} µs and {log:>6.0} bytes of log"
        );
    }

    async fn rows(&mut self, table: &str) {
        let name = format!("{}.{table}", self.schema);
        let tidied = self.beside.execute(&*format!("VACUUM FULL ANALYZE {name}")).await;
        tidied.expect("a tidy table");
        let size = format!(
            "SELECT pg_total_relation_size('{name}')::float8 / greatest(count(*), 1) FROM {name}"
        );
        let bytes: f64 =
            sqlx::query_scalar(&size).fetch_one(&mut self.beside).await.expect("a size");
        println!("  a row of {table:<21} {bytes:>6.0} bytes with its indexes");
    }

    /// Bytes that the database wrote to its log so far.
    async fn log(&mut self) -> f64 {
        let written = "SELECT (pg_current_wal_insert_lsn() - '0/0')::float8";
        sqlx::query_scalar(written).fetch_one(&mut self.beside).await.expect("a place")
    }
}

/// How long all processes of PostgreSQL on this machine were busy so far.
pub(crate) fn busy() -> Duration {
    /// Ticks of the kernel in a second, which Linux shows to all programs as 100.
    const TICKS: f64 = 100.0;
    let processes = fs::read_dir("/proc").expect("the processes");
    let states = processes
        .filter_map(|process| fs::read_to_string(process.ok()?.path().join("stat")).ok())
        .filter(|state| state.contains("(postgres)"));
    let ticks = states.flat_map(|state| {
        let fields: Vec<_> = state.rsplit(')').next().unwrap_or_default().split(' ').collect();
        // The 14th and 15th of all, for the process itself.
        [fields[12].parse().unwrap_or(0.0), fields[13].parse().unwrap_or(0.0)]
    });
    Duration::from_secs_f64(ticks.sum::<f64>() / TICKS)
}
