//! The stores keep their contract.

use tower_bearer::{store::Memory, test_util::stores};

#[tokio::test(flavor = "multi_thread")]
async fn memory_keeps_the_contract() {
    stores::check(|| async { Memory::new() }).await;
}

#[tokio::test]
async fn memory_keeps_the_contract_on_one_thread() {
    stores::check(|| async { Memory::new() }).await;
}

#[tokio::test]
async fn clones_of_a_memory_share_everything_and_say_nothing_of_it() {
    use tower_bearer::issue::{Applied, Store as _, Write};
    use tower_bearer::revocation::Revocation;
    use tower_bearer::time::UnixTime;

    let store = Memory::new();
    let revoked = Revocation::token("token-id", UnixTime::from_secs(10));
    let applied = store.clone().apply(vec![Write::Revoke(revoked.clone())]).await.unwrap();
    assert_eq!(applied, Applied::Done);
    assert_eq!(store.revocations(UnixTime::from_secs(10)).await.unwrap(), [revoked]);
    assert_eq!(format!("{store:?}"), "Memory { .. }");
}
