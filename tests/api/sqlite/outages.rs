//! What fails for a while, and works again.

use super::*;

#[tokio::test]
async fn a_lock_of_another_is_waited_for_and_then_an_error() {
    let dir = Folder::new();
    let quick = || Sqlite::builder().busy_timeout(Duration::from_millis(20)).open(dir.store());
    let store = quick().await.unwrap();
    let mut other = raw(&dir.store()).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();

    let error = chain(&store.apply(revoke("one")).await.unwrap_err());
    assert!(error.contains("locked"), "{error}");
    assert_eq!(revoked(&store).await, Vec::<String>::new(), "reads wait for nobody");
    let error = quick().await.unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error:?}");

    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(store.apply(revoke("two")).await.unwrap(), Applied::Done);
    assert_eq!(revoked(&store).await, ["two"]);
}

#[tokio::test]
async fn a_file_that_is_taken_away_is_no_empty_store() {
    let dir = Folder::new();
    let quick = || Sqlite::builder().busy_timeout(Duration::from_millis(20)).open(dir.store());
    let store = quick().await.unwrap();
    assert_eq!(store.apply(revoke("one")).await.unwrap(), Applied::Done);
    // After a failure the writer connects anew.
    let mut other = raw(&dir.store()).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    store.apply(revoke("two")).await.unwrap_err();
    drop(other);
    let away = dir.path().join("away.db");
    fs::rename(dir.store(), &away).unwrap();
    store.apply(revoke("three")).await.unwrap_err();
    fs::rename(&away, dir.store()).unwrap();
    assert_eq!(store.apply(revoke("four")).await.unwrap(), Applied::Done);
    assert_eq!(revoked(&store).await, ["one", "four"]);
}

#[cfg(target_os = "linux")]
const PATH: &str = "TOWER_BEARER_FULL_DISK";
/// In blocks of 512 bytes: enough for the tables and some writes.
#[cfg(target_os = "linux")]
const LIMIT: &str = "400";

/// The limit on the size of files stands for a full disk: both end a write that makes a file longer.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_an_error_and_loses_nothing_that_was_answered() {
    let dir = Folder::new();
    Sqlite::open(dir.store()).await.unwrap().close().await.unwrap();
    let script = r#"trap "" XFSZ; ulimit -S -f "$0"; exec "$@""#;
    let child = "sqlite::outages::writes_until_the_disk_is_full";
    let output = std::process::Command::new("sh")
        .args(["-c", script, LIMIT])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", child, "--include-ignored", "--nocapture"])
        .env(PATH, dir.store())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let (_, rest) = told.split_once("answered: ").expect("the child says how many it wrote");
    let answered: usize = rest.split_whitespace().next().unwrap().parse().unwrap();
    assert!(answered > 10, "{answered}");

    let store = Sqlite::open(dir.store()).await.unwrap();
    assert_eq!(revoked(&store).await.len(), 2 * answered, "both halves of each");
    assert_eq!(store.apply(revoke("one more")).await.unwrap(), Applied::Done);
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "run by another test, with a limit on the size of files"]
async fn writes_until_the_disk_is_full() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let store = Sqlite::open(path).await.unwrap();
    let mut answered = 0;
    let error = loop {
        let halves = ["a", "b"].map(|half| format!("{half} {answered}"));
        match store.apply(halves.iter().flat_map(|id| revoke(id)).collect()).await {
            Ok(applied) => assert_eq!(applied, Applied::Done),
            Err(error) => break error,
        }
        answered += 1;
        assert!(answered < 10_000, "the disk does not fill up");
    };
    assert!(chain(&error).contains("disk"), "{}", chain(&error));
    assert_eq!(revoked(&store).await.len(), 2 * answered, "what was answered can be read");
    store.apply(revoke("still full")).await.unwrap_err();
    println!("answered: {answered} ");
}
