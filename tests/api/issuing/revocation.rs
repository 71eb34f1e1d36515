//! Revocation by the server, obeyed at the next request of the same process, and after a restart.

use tower_bearer::{AuthErrorKind, event::IssuingAction, store::Memory, time::UnixTime};

use super::world::{World, decoded};
use crate::support::NOW;

/// R-REV-01, I-REV-11
#[tokio::test]
async fn a_token_a_family_an_application_and_everything_are_revoked() {
    let world = World::new().await;
    let alone = world.form("/oauth2/token", "grant_type=client_credentials").await;
    let alone = alone.text("access_token");
    let pair = world.authenticate().await;
    let (_, claims) = decoded(&alone);
    let jti = claims["jti"].as_str().unwrap();
    world.server.revoke_token(jti, UnixTime::from_secs(NOW + 600)).await.unwrap();
    assert_eq!(world.last().token_id.as_deref(), Some(jti));
    let refused = world.verifier.verify_now(&alone).unwrap_err();
    assert_eq!(refused.kind(), AuthErrorKind::Revoked);
    assert_eq!(world.call(&pair.access()).await, 200);

    world.server.revoke_access_tokens().await.unwrap();
    assert_eq!(world.last().action, IssuingAction::EverythingRevoked);
    assert_eq!(world.call(&pair.access()).await, 401);
    world.advance(1);
    let next = world.refresh(&pair.refresh()).await;
    assert_eq!(world.call(&next.access()).await, 200);
}

#[tokio::test]
async fn what_was_revoked_stays_so_after_a_restart() {
    let store = Memory::new();
    let same = |server: tower_bearer::issue::ServerBuilder| server;
    let world = World::over(store.clone(), same, |endpoints| endpoints).await;
    let family = world.authenticate().await;
    let alone = world.form("/oauth2/token", "grant_type=client_credentials").await;
    let alone = alone.text("access_token");
    let good = world.authenticate().await;
    world
        .post(
            "/api/Auth/revokeApplicationToken",
            &serde_json::json!({ "refreshToken": family.refresh() }),
        )
        .await;
    world.form("/oauth2/revoke", &format!("token={alone}")).await;

    let server = tower_bearer::issue::AuthorizationServer::builder(store)
        .issuer(super::world::ISSUER)
        .keys(super::world::keys())
        .clock(world.clock.clone())
        .open()
        .await
        .unwrap();
    assert_eq!(server.revocations().len(), 2);
    let verifier = tower_bearer::Verifier::builder()
        .issuer(server.trusted().audience(super::world::API))
        .clock(world.clock.clone())
        .build()
        .unwrap();
    for token in [family.access(), alone] {
        assert_eq!(verifier.verify_now(&token).unwrap_err().kind(), AuthErrorKind::Revoked);
    }
    assert!(verifier.verify_now(&good.access()).is_ok());
}

#[tokio::test]
async fn what_has_expired_is_forgotten() {
    let world = World::new().await;
    for _ in 0..3 {
        let pair = world.authenticate().await;
        let body = serde_json::json!({ "refreshToken": pair.refresh() });
        world.post("/api/Auth/revokeApplicationToken", &body).await;
    }
    assert_eq!(world.server.revocations().len(), 3);
    // The longest life of an access token, and the largest leeway.
    world.advance(3600 + 300);
    world.server.maintain().await.unwrap();
    assert_eq!(world.server.revocations().len(), 3);
    world.advance(1);
    world.server.maintain().await.unwrap();
    assert_eq!(world.server.revocations().len(), 0);
}

/// I-RT-23: a day after their absolute end.
#[tokio::test]
async fn ended_families_are_forgotten_after_their_absolute_end() {
    const DAY: u64 = 24 * 3600;
    let world = World::new().await;
    let old = world.authenticate().await.refresh();
    for (seconds, reason) in [(31 * DAY, "expired_family"), (1, "unknown_family")] {
        world.advance(seconds);
        world.server.maintain().await.unwrap();
        assert_eq!(world.refresh(&old).await.status, 401);
        assert_eq!(world.last().reason, Some(reason));
    }
}
