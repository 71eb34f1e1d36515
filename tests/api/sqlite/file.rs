//! Which files are opened, and what is said of the others.

use super::*;

#[tokio::test]
async fn a_path_is_a_path_and_nothing_else() {
    let dir = Folder::new();
    for name in ["file:x?mode=memory", ":memory:", "a b%20'\"#?.db", "\u{1f511}"] {
        let path = dir.path().join(name);
        let store = Sqlite::open(&path).await.unwrap();
        assert_eq!(store.apply(revoke("one")).await.unwrap(), Applied::Done);
        store.close().await.unwrap();
        assert!(path.is_file(), "{name}");
    }
    assert!(matches!(refused(Path::new("")).await, OpenError::Io { .. }));
    assert!(matches!(refused(&dir.path().join("no/such.db")).await, OpenError::Io { .. }));
}

#[tokio::test]
async fn a_directory_is_not_a_file() {
    let dir = Folder::new();
    let error = refused(dir.path()).await;
    assert!(matches!(error, OpenError::NotAFile { .. }), "{error:?}");
    assert!(error.to_string().contains("give the path of a file"), "{error}");
}

/// As the manual says.
#[tokio::test]
async fn a_copy_that_sqlite_makes_of_an_open_file_is_whole() {
    let dir = Folder::new();
    let store = Sqlite::open(dir.store()).await.unwrap();
    assert_eq!(store.apply(revoke("one")).await.unwrap(), Applied::Done);
    let (alone, backup) = (dir.path().join("alone.db"), dir.path().join("backup.db"));
    fs::copy(dir.store(), &alone).unwrap();
    let into = format!("VACUUM INTO '{}'", backup.display());
    raw(&dir.store()).await.execute(&*into).await.unwrap();
    assert_eq!(store.apply(revoke("two")).await.unwrap(), Applied::Done);
    make_private(&backup);
    let restored = Sqlite::open(&backup).await.unwrap();
    assert_eq!(revoked(&restored).await, ["one"]);
    // What was only in the log is not in a copy of the file.
    let lost = Sqlite::open(&alone).await.unwrap();
    assert_eq!(revoked(&lost).await, Vec::<String>::new());
    store.close().await.unwrap();
    let closed = dir.path().join("closed.db");
    fs::copy(dir.store(), &closed).unwrap();
    assert_eq!(revoked(&Sqlite::open(&closed).await.unwrap()).await, ["one", "two"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = Folder::new();
    let store = Sqlite::open(dir.store()).await.unwrap();
    assert_eq!(store.apply(revoke("one")).await.unwrap(), Applied::Done);
    for entry in fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
    let log = dir.path().join("store.db-wal");
    for (path, mode) in [(dir.store(), 0o604), (dir.store(), 0o640), (log.clone(), 0o622)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = refused(&dir.store()).await.to_string();
        assert!(error.starts_with(&*path.to_string_lossy()), "{error}");
        assert!(error.contains("chmod 600"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert!(log.exists());
    Sqlite::open(dir.store()).await.unwrap();
}

#[tokio::test]
async fn a_newer_file_is_left_as_it_is() {
    let dir = Folder::new();
    Sqlite::open(dir.store()).await.unwrap().close().await.unwrap();
    let mut newer = raw(&dir.store()).await;
    newer.execute("PRAGMA user_version = 7").await.unwrap();
    newer.close().await.unwrap();
    let before = fs::read(dir.store()).unwrap();
    let error = refused(&dir.store()).await;
    assert!(matches!(error, OpenError::Newer { version: 7, known: 2, .. }), "{error:?}");
    assert!(error.to_string().contains("use the newer library"), "{error}");
    assert!(before == fs::read(dir.store()).unwrap());
}

#[tokio::test]
async fn a_file_of_the_first_version_is_brought_up_to_date_with_all_that_is_in_it() {
    let dir = Folder::new();
    let options = SqliteConnectOptions::new().filename(dir.store()).create_if_missing(true);
    let mut first = SqliteConnection::connect_with(&options).await.unwrap();
    first.execute(include_str!("../../../src/store/migrations/sqlite/0001.sql")).await.unwrap();
    first.execute("PRAGMA application_id = 1416591170; PRAGMA user_version = 1").await.unwrap();
    for id in ["one", "two", "three"] {
        let insert = sqlx::query("INSERT INTO revocation VALUES ('token', ?1, NULL, 10)");
        insert.bind(id).execute(&mut first).await.unwrap();
    }
    first.close().await.unwrap();
    #[cfg(unix)]
    fs::set_permissions(dir.store(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();

    let store = Sqlite::open(dir.store()).await.unwrap();
    let page = store.revocations_after(None, 2).await.unwrap();
    assert_eq!((page.entries.len(), page.has_more), (2, true));
    assert_eq!(store.apply(revoke("four")).await.unwrap(), Applied::Done);
    let rest = store.revocations_after(Some(&page.next), 10).await.unwrap();
    assert_eq!((rest.entries.len(), rest.has_more), (2, false));
    assert_eq!(rest.entries[1].revocation.id(), "four");
}

#[tokio::test]
async fn whoever_follows_a_file_reads_all_of_a_backup_that_is_put_in_its_place() {
    let dir = Folder::new();
    let store = Sqlite::open(dir.store()).await.unwrap();
    assert_eq!(store.apply(revoke("before")).await.unwrap(), Applied::Done);
    store.close().await.unwrap();
    let backup = fs::read(dir.store()).unwrap();
    let store = Sqlite::open(dir.store()).await.unwrap();
    assert_eq!(store.apply(revoke("lost")).await.unwrap(), Applied::Done);
    let known = store.revocations_after(None, 10).await.unwrap().next;
    store.close().await.unwrap();

    fs::write(dir.store(), &backup).unwrap();
    let store = Sqlite::open(dir.store()).await.unwrap();
    assert_eq!(store.apply(revoke("after")).await.unwrap(), Applied::Done);
    let page = store.revocations_after(Some(&known), 10).await.unwrap();
    let ids: Vec<_> = page.entries.iter().map(|entry| entry.revocation.id()).collect();
    assert_eq!(ids, ["before", "after"], "though the lost one had the same place as the last");
}

#[tokio::test]
async fn a_file_of_somebody_else_is_left_as_it_is() {
    let dir = Folder::new();
    let options = SqliteConnectOptions::new().filename(dir.store()).create_if_missing(true);
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    other.execute("CREATE TABLE notes (text)").await.unwrap();
    other.close().await.unwrap();
    make_private(&dir.store());
    let text = dir.path().join("notes.txt");
    fs::write(&text, "notes of somebody else, ".repeat(1000)).unwrap();
    make_private(&text);
    for path in [dir.store(), text] {
        let before = fs::read(&path).unwrap();
        let error = refused(&path).await;
        assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
        assert!(before == fs::read(&path).unwrap());
    }
}

fn make_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = path;
}
