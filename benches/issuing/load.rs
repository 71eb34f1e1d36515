//! Clients that ask at once, over HTTP.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use http::StatusCode;
use tower_bearer::{
    issue::Store,
    store::{Memory, Sqlite},
};

use crate::{
    bare::Durable,
    clients::{Connection, Operation, serve},
    shared::{Options, median},
    watched::Asked,
    world::World,
};

const CONNECTIONS: [usize; 3] = [1, 8, 64];
const MOST: usize = CONNECTIONS[2];
/// The most refresh families of an application, which is the usual limit.
const FAMILIES: usize = 100;

/// A store behind the endpoints, and those who are connected to them.
struct Site {
    name: &'static str,
    log: Option<PathBuf>,
    asked: Arc<Asked>,
    connections: Vec<Connection>,
}

/// What is measured, and what came out of it.
struct Cell {
    operation: Operation,
    connections: usize,
    rates: Vec<f64>,
    times: Vec<Duration>,
    refused: usize,
}

pub(crate) async fn run(options: &Options, folder: &Path) {
    println!("\nload: HTTP/1.1 on loopback, files on {}", file_system(folder));
    let (rounds, length) = match options.smoke {
        true => (1, Duration::ZERO),
        false => (7, Duration::from_millis(500)),
    };
    let mut durable = Durable::new(folder).await;
    let sqlite = Sqlite::open(folder.join("store.db")).await.expect("a store");
    let one = Sqlite::open(folder.join("one.db")).await.expect("a store");
    let log = |name| Some(folder.join(name));
    let mut sites = vec![
        Site::open("Memory", Memory::new(), None, 2 * MOST).await,
        Site::open("SQLite", sqlite.clone(), log("store.db-wal"), 2 * MOST).await,
        Site::open("SQLite, one application", one.clone(), log("one.db-wal"), 1).await,
    ];
    let mut cells = vec![
        cells(&[Operation::Authenticate, Operation::Refresh, Operation::Guess]),
        cells(&[Operation::Authenticate, Operation::Refresh]),
        cells(&[Operation::Authenticate]),
    ];
    #[cfg(feature = "postgres")]
    if let Some((store, _)) = postgres("load").await {
        sites.push(Site::open("PostgreSQL", store, None, 2 * MOST).await);
        cells.push(self::cells(&[Operation::Authenticate, Operation::Refresh]));
    }
    if !options.smoke {
        for site in &mut sites {
            site.fill().await;
        }
    }
    let (mut transactions, mut syncs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let times = if options.smoke { 2 } else { 200 };
        syncs.push(durable.syncs(times));
        transactions.push(durable.transactions(times).await);
        for (site, cells) in sites.iter_mut().zip(&mut cells) {
            for cell in cells {
                cell.round(site, length).await;
            }
        }
    }
    for (name, times) in [("bare block, synced", syncs), ("bare SQLite transaction", transactions)]
    {
        println!("  {name:<40} {:>8.0} /s", 1.0 / median(times));
    }
    for (site, cells) in sites.iter_mut().zip(cells) {
        for cell in cells {
            cell.print(site).await;
        }
    }
    for store in [sqlite, one] {
        store.close().await.expect("the store is closed");
    }
}

/// Says where the database is.
#[cfg(feature = "postgres")]
pub(crate) const URL: &str = "TOWER_BEARER_BENCH_POSTGRES";

/// A database for this, if there is one: a schema of its own with its name, which is left behind.
#[cfg(feature = "postgres")]
pub(crate) async fn postgres(group: &str) -> Option<(tower_bearer::store::Postgres, String)> {
    let url = std::env::var(URL).ok()?;
    let builder = tower_bearer::store::Postgres::builder(url).connections(32);
    let schema = format!("bench_{group}_{}", std::process::id());
    Some((builder.schema(&*schema).connect().await.expect("the database"), schema))
}

fn cells(operations: &[Operation]) -> Vec<Cell> {
    let cell = |operation, connections| Cell {
        operation,
        connections,
        rates: Vec::new(),
        times: Vec::new(),
        refused: 0,
    };
    let all = |operation: &Operation| CONNECTIONS.map(|connections| cell(*operation, connections));
    operations.iter().flat_map(all).collect()
}

impl Site {
    async fn open(
        name: &'static str,
        store: impl Store,
        log: Option<PathBuf>,
        applications: usize,
    ) -> Self {
        let world = World::new(store, applications).await;
        let address = serve(world.endpoints).await;
        let mut connections = Vec::new();
        let clients = world.clients.iter().cycle();
        for (client, other) in clients.clone().zip(clients.skip(MOST)).take(MOST) {
            connections.push(Connection::open(address, client.clone(), other).await);
        }
        Self { name, log, asked: world.asked, connections }
    }

    /// As many families as there may be, so that each new one ends an old one, as it is in the long run.
    async fn fill(&mut self) {
        let mut cell = cells(&[Operation::Authenticate]).pop().expect("a cell");
        while cell.times.len() < FAMILIES * MOST {
            cell.round(self, Duration::from_millis(100)).await;
        }
    }
}

impl Cell {
    /// Every connection asks one thing after the other for so long, and once at least.
    async fn round(&mut self, site: &mut Site, length: Duration) {
        let start = Instant::now();
        let (operation, mut tasks) = (self.operation, Vec::new());
        for mut connection in site.connections.drain(..self.connections) {
            tasks.push(tokio::spawn(async move {
                let mut answers = vec![connection.ask(operation).await];
                while start.elapsed() < length {
                    answers.push(connection.ask(operation).await);
                }
                (connection, answers)
            }));
        }
        let mut count = 0;
        for task in tasks {
            let (connection, answers) = task.await.expect("a client");
            count += answers.len();
            self.refused += answers.iter().filter(|(_, status)| *status != StatusCode::OK).count();
            self.times.extend(answers.iter().map(|(time, _)| *time));
            site.connections.push(connection);
        }
        self.rates.push(count as f64 / start.elapsed().as_secs_f64());
    }

    async fn print(mut self, site: &mut Site) {
        self.times.sort();
        // A percentile needs ten times above it to say anything.
        let percentile = |part: usize| match self.times.len() / part {
            10.. => format!(
                "{:>7.2}",
                self.times[self.times.len() - self.times.len() / part].as_secs_f64() * 1e3
            ),
            _ => "      -".to_owned(),
        };
        let name = format!("{}, {:?}, {}", site.name, self.operation, self.connections);
        let tail = [2, 100, 1000].map(percentile).join(" ");
        let refused = 100.0 * self.refused as f64 / self.times.len() as f64;
        let groups = self.groups(site).await;
        println!(
            "  {name:<40} {:>8.0} /s   {tail} ms   {refused:>3.0} % refused{groups}",
            median(self.rates)
        );
    }

    /// Writes and transactions for each request, counted in a few rounds more.
    async fn groups(&self, site: &mut Site) -> String {
        let Some(log) = site.log.clone() else {
            return String::new();
        };
        let (mut requests, mut writes, mut conflicts, mut commits) = (0, 0, 0, 0);
        for _ in 0..8 {
            let mut again = Self { rates: Vec::new(), times: Vec::new(), refused: 0, ..*self };
            let (asked, (salt, first)) = (site.asked.so_far(), log_commits(&log));
            again.round(site, Duration::from_millis(30)).await;
            let (now_asked, (same, last)) = (site.asked.so_far(), log_commits(&log));
            // If the log began anew in between, it does not tell.
            if salt == same {
                requests += again.times.len();
                writes += now_asked[1] - asked[1];
                conflicts += now_asked[2] - asked[2];
                commits += last - first;
            }
        }
        if requests == 0 {
            return "   transactions not counted".to_owned();
        }
        let each = |count| count as f64 / requests as f64;
        let (writes, conflicts, commits) = (each(writes), each(conflicts), each(commits));
        format!("   {writes:.2} writes, {conflicts:.2} conflicts, {commits:.3} transactions")
    }
}

/// The salt of SQLite's log, and how many transactions it holds: the frames that end one name the size of the file.
fn log_commits(log: &Path) -> (Vec<u8>, u64) {
    const HEADER: usize = 32;
    const FRAME: usize = 24 + 4096;
    let log = std::fs::read(log).expect("the log");
    let salt = log.get(16..24).unwrap_or_default().to_vec();
    let frames = log.get(HEADER..).unwrap_or_default().chunks_exact(FRAME);
    let frames = frames.take_while(|frame| frame[8..16] == salt);
    let commits = frames.filter(|frame| frame[4..8] != [0; 4]).count();
    (salt, commits as u64)
}

/// Of which kind the file system is that this folder is on.
fn file_system(folder: &Path) -> String {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let holds = fields.filter(|fields| fields.len() > 2 && folder.starts_with(fields[1]));
    let nearest = holds.max_by_key(|fields| fields[1].len());
    nearest.map_or_else(|| "a file system unknown".to_owned(), |fields| fields[2].to_owned())
}
