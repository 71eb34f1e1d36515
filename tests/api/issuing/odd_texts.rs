//! Control characters in what an administrator gives: never a failure of the store.

use tower_bearer::{
    issue::{AdminError, Cascade, Store},
    store::Memory,
    time::UnixTime,
};

use super::world::{World, new_app};
use crate::support::NOW;

const ODD: [&str; 5] = ["App1\0", "\0", "\u{1}App1", "App1\u{7f}", "Ap\u{85}p1"];

#[tokio::test]
async fn in_memory_a_text_with_control_characters_is_unknown_or_refused() {
    are_unknown_or_refused(Memory::new()).await;
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn in_sqlite_a_text_with_control_characters_is_unknown_or_refused() {
    let folder = crate::folder::Folder::new();
    let store = tower_bearer::store::Sqlite::open(folder.store()).await.unwrap();
    are_unknown_or_refused(store.clone()).await;
    store.close().await.unwrap();
}

async fn are_unknown_or_refused(store: impl Store) {
    let world = World::over(store, |server| server, |endpoints| endpoints).await;
    let (applications, id) = (world.server.applications(), world.app.id());
    let secret = world.app.secrets().next().unwrap().id().to_owned();
    let happened = world.happened().len();
    for odd in ODD {
        let with_id = format!("{id}{odd}");
        for unknown in [odd, &with_id] {
            let error = applications.get(unknown).await.unwrap_err();
            assert!(matches!(&error, AdminError::NotFound { id } if id == unknown), "{error}");
            for error in [
                applications.disable(unknown).await.unwrap_err(),
                applications.enable(unknown).await.unwrap_err(),
                applications.delete(unknown).await.unwrap_err(),
                applications.revoke_everything(unknown).await.unwrap_err(),
                applications.add_secret(unknown, "next").await.unwrap_err(),
                applications.revoke_secret(unknown, &secret, Cascade::Yes).await.unwrap_err(),
                applications.set_access_lifetime(unknown, None).await.unwrap_err(),
            ] {
                assert!(matches!(&error, AdminError::NotFound { .. }), "{unknown:?}: {error}");
            }
            let error = applications.list(Some(unknown), 10).await.unwrap_err();
            assert!(matches!(&error, AdminError::Invalid { name: "after", .. }), "{error}");
        }
        assert!(applications.named(odd).await.unwrap().is_none());
        let error = applications.create(new_app(odd)).await.unwrap_err();
        assert!(matches!(&error, AdminError::Invalid { name: "name", .. }), "{error}");
        let chosen = "correct horse battery staple";
        for error in [
            applications.add_secret(id, odd).await.unwrap_err(),
            applications.add_chosen_secret(id, odd, chosen).await.unwrap_err(),
        ] {
            assert!(matches!(&error, AdminError::Invalid { name: "label", .. }), "{error}");
        }
        let error = applications.revoke_secret(id, odd, Cascade::Yes).await.unwrap_err();
        assert!(matches!(&error, AdminError::NoSuchSecret { id } if id == odd), "{error}");
        world.server.revoke_family(odd).await.unwrap();
        world.server.revoke_token(odd, UnixTime::from_secs(NOW + 600)).await.unwrap();
    }
    assert_eq!(world.happened().len(), happened, "nothing was done");
    assert!(world.server.revocations().is_empty());
    assert_eq!(applications.list(Some(""), 10).await.unwrap().len(), 1);
    assert_eq!(world.authenticate().await.status, 200);
}
