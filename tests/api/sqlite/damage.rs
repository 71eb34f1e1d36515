//! What is in the file is not what was written.

use super::*;

/// A store with enough in it to fill some pages, closed.
async fn filled(dir: &Folder) {
    let store = Sqlite::open(dir.store()).await.unwrap();
    let ids = (0..2000).map(|number| format!("a rather long id to fill pages with {number:04}"));
    let writes = ids.flat_map(|id| revoke(&id)).collect();
    assert_eq!(store.apply(writes).await.unwrap(), Applied::Done);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_damaged_page_is_an_error_wherever_it_is() {
    let dir = Folder::new();
    filled(&dir).await;
    let intact = fs::read(dir.store()).unwrap();
    let pages = intact.len() / 4096;
    assert!(pages > 20);
    let (mut refused, mut failed) = (0, 0);
    for page in 0..pages {
        let mut damaged = intact.clone();
        damaged[page * 4096..(page + 1) * 4096].iter_mut().for_each(|byte| *byte ^= 0xa5);
        fs::write(dir.store(), &damaged).unwrap();
        match Sqlite::open(dir.store()).await {
            Err(_) => refused += 1,
            Ok(store) => {
                let read = store.revocations(at(0)).await;
                let purged = store.purge(revocations_before(11), usize::MAX).await;
                let applied = store.apply(revoke("one more")).await;
                failed += usize::from(read.is_err() || purged.is_err() || applied.is_err());
                store.close().await.unwrap_or_default();
            }
        }
    }
    // The first page holds the schema. Some pages are of tables that nobody asked for.
    assert!(refused >= 1, "{refused}");
    assert!(failed > pages / 2, "{failed} of {pages}");
}

#[tokio::test]
async fn a_file_that_was_cut_off_is_refused_or_fails() {
    let dir = Folder::new();
    filled(&dir).await;
    let intact = fs::read(dir.store()).unwrap();
    for length in [2, 50, 100, 600, 4096, intact.len() / 2, intact.len() - 4096] {
        fs::write(dir.store(), &intact[..length]).unwrap();
        if let Ok(store) = Sqlite::open(dir.store()).await {
            let read = store.revocations(at(0)).await;
            let purged = store.purge(revocations_before(11), usize::MAX).await;
            assert!(read.is_err() || purged.is_err(), "{length}");
        }
    }
}

#[tokio::test]
async fn odd_values_are_an_error_and_no_panic() {
    let dir = Folder::new();
    let store = Sqlite::open(dir.store()).await.unwrap();
    let mut raw = raw(&dir.store()).await;
    let application = "INSERT INTO application VALUES \
        ('app_1', 'one', 1, 1, 'a b', '[\"x\"]', 600, 0, 0, 5)";
    let secret = "INSERT INTO secret VALUES ('app_1', 's1', 0, 'digest', 'label', 1, 2, 3)";
    let family = "INSERT INTO family VALUES (zeroblob(16), 'app_1', 's1', 'product', 'a', 'x', \
        1, 0, 1, 0, 0, 1, 9, NULL)";
    let key = "INSERT INTO signing_key VALUES ('k', 'ES256', 1, 2, '{}', x'00', NULL, 'first')";
    let revocation = "INSERT INTO revocation VALUES ('client', 'app_1', 1, 20, 1, 0)";
    for statement in [application, secret, family, key, revocation] {
        raw.execute(statement).await.unwrap();
    }
    let id = tower_bearer::issue::FamilyId::from_bytes([0; 16]);
    let is_readable = async || {
        let application = store.application("app_1").await;
        let listed = store.applications(None, 10).await;
        let (family, live) =
            (store.family(id).await, store.live_families("app_1", at(0), 0, 9).await);
        let (keys, revocations) = (store.signing_keys().await, store.revocations(at(0)).await);
        application.is_ok_and(|found| found.is_some())
            && listed.is_ok()
            && family.is_ok_and(|found| found.is_some())
            && live.is_ok()
            && keys.is_ok()
            && revocations.is_ok()
    };
    assert!(is_readable().await);
    let odd = [
        ("application", "version", "-1"),
        ("application", "enabled", "2"),
        ("application", "scopes", r#"'a"b'"#),
        ("application", "audiences", "'no list'"),
        ("application", "audiences", "'[1]'"),
        ("application", "access_lifetime", "-600"),
        ("application", "name", "CAST(x'ff' AS TEXT)"),
        ("application", "created_at", "-1"),
        ("secret", "last_used_at", "-1"),
        ("secret", "label", "CAST(x'c328' AS TEXT)"),
        ("family", "door", "'window'"),
        ("family", "generation", "-9"),
        ("family", "grace_run", "4294967296"),
        ("family", "grace_used", "-1"),
        ("family", "revoked_at", "-1"),
        ("family", "scopes", "'\u{e9}'"),
        ("signing_key", "algorithm", "'none'"),
        ("signing_key", "active_at", "-1"),
        ("revocation", "kind", "'planet'"),
        ("revocation", "cut_off", "NULL"),
        ("revocation", "cut_off", "-1"),
    ];
    for (table, column, value) in odd {
        let mut change = raw.begin().await.unwrap();
        let statement = format!("UPDATE {table} SET {column} = {value}");
        change.execute(statement.as_str()).await.unwrap();
        change.commit().await.unwrap();
        assert!(!is_readable().await, "{statement}");
        for (table, statement) in [
            ("revocation", revocation),
            ("signing_key", key),
            ("application", application),
            ("secret", secret),
            ("family", family),
        ] {
            raw.execute(format!("DELETE FROM {table}").as_str()).await.unwrap();
            raw.execute(statement).await.unwrap();
        }
        assert!(is_readable().await, "after {statement}");
    }
}
