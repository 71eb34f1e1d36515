//! The file, as it is when nobody has it open.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use sqlx::{
    Connection as _, Executor as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions,
};

use crate::{family::Family, folder::Folder};

/// What the store has of a family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) generation: u64,
    pub(crate) is_revoked: bool,
}

/// What is in the file.
pub(crate) struct Snapshot {
    /// By id.
    pub(crate) families: BTreeMap<String, Row>,
    revocations: BTreeSet<String>,
    integrity: Vec<String>,
}

impl Snapshot {
    /// Reads a copy, so that the next server finds what the last one left, with its log.
    pub(crate) fn of(dir: &Folder) -> Self {
        let copy = Folder::new();
        fs::copy(dir.store(), copy.store()).unwrap();
        let log = |dir: &Folder| dir.path().join("store.db-wal");
        if log(dir).exists() {
            fs::copy(log(dir), log(&copy)).unwrap();
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(Self::read(&copy))
    }

    async fn read(dir: &Folder) -> Self {
        let options = SqliteConnectOptions::new().filename(dir.store());
        let mut file = SqliteConnection::connect_with(&options).await.unwrap();
        let mut families = BTreeMap::new();
        for row in file.fetch_all("SELECT id, generation, revoked_at FROM family").await.unwrap() {
            let id = base64_simd::URL_SAFE_NO_PAD.encode_to_string(row.get::<&[u8], _>("id"));
            let found = Row {
                generation: row.get::<i64, _>("generation").try_into().unwrap(),
                is_revoked: row.get::<Option<i64>, _>("revoked_at").is_some(),
            };
            assert!(families.insert(id, found).is_none(), "a family in two rows");
        }
        let mut texts = async |query: &str| -> Vec<String> {
            file.fetch_all(query).await.unwrap().iter().map(|row| row.get(0)).collect()
        };
        let revocations = texts("SELECT id FROM revocation").await.into_iter().collect();
        let mut integrity = texts("PRAGMA integrity_check").await;
        integrity.extend(texts("PRAGMA foreign_key_check").await);
        file.close().await.unwrap();
        Self { families, revocations, integrity }
    }

    /// That SQLite finds no damage, and that what is done together was done together.
    pub(crate) fn assert_sound(&self) {
        assert_eq!(self.integrity, ["ok"]);
        let ended = self.families.iter().filter(|(_, row)| row.is_revoked);
        let ended: BTreeSet<_> = ended.map(|(id, _)| id.clone()).collect();
        assert_eq!(ended, self.revocations, "families that ended, and revocations");
    }

    #[track_caller]
    pub(crate) fn row(&self, family: &Family) -> Row {
        let row = self.families.get(&family.id);
        *row.unwrap_or_else(|| panic!("{} was opened and is gone", family.id))
    }
}
