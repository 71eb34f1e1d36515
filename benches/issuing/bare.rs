//! What no server can do without: a signature, and a write that survives a power loss.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    time::Instant,
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use sqlx::{
    ConnectOptions as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::shared::Contender;

/// ES256 of as many bytes as an access token has.
pub(crate) fn signature() -> Contender {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    let (random, message) = (SystemRandom::new(), [b'x'; 512]);
    Contender::new("bare ES256 signature", move || {
        std::hint::black_box(pair.sign(&random, &message).expect("a signature"));
    })
}

/// An SQLite file with one row.
pub(crate) struct Durable {
    connection: SqliteConnection,
    file: File,
}

impl Durable {
    pub(crate) async fn new(folder: &Path) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(folder.join("bare.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let mut connection = options.connect().await.expect("a file");
        let table = "CREATE TABLE one (id INTEGER PRIMARY KEY, number INTEGER NOT NULL); \
            INSERT INTO one VALUES (1, 0)";
        sqlx::raw_sql(table).execute(&mut connection).await.expect("a table");
        let mut file = File::create(folder.join("bare")).expect("a file");
        file.write_all(&vec![0; BLOCK * BLOCKS]).and_then(|()| file.sync_all()).expect("blocks");
        Self { connection, file }
    }

    /// One transaction that changes one row; seconds for each.
    pub(crate) async fn transactions(&mut self, times: u32) -> f64 {
        let start = Instant::now();
        for _ in 0..times {
            let one = "BEGIN IMMEDIATE; UPDATE one SET number = number + 1 WHERE id = 1; COMMIT";
            sqlx::raw_sql(one).execute(&mut self.connection).await.expect("a transaction");
        }
        start.elapsed().as_secs_f64() / f64::from(times)
    }

    /// One block written over and synced, as SQLite does with its log; seconds for each.
    pub(crate) fn syncs(&mut self, times: u32) -> f64 {
        let start = Instant::now();
        for time in 0..times as usize {
            let place = SeekFrom::Start((time % BLOCKS * BLOCK) as u64);
            self.file.seek(place).expect("a place");
            self.file.write_all(&[1; BLOCK]).and_then(|()| self.file.sync_data()).expect("a block");
        }
        start.elapsed().as_secs_f64() / f64::from(times)
    }
}

const BLOCK: usize = 4096;
const BLOCKS: usize = 1000;
