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

    world.server.revoke_access_tokens_until(UnixTime::from_secs(NOW)).await.unwrap();
    assert_eq!(world.call(&next.access()).await, 200, "it was issued later");
    world.server.revoke_access_tokens_until(UnixTime::from_secs(NOW + 1000)).await.unwrap();
    assert_eq!(world.call(&next.access()).await, 401);
    world.advance(1);
    let last = world.refresh(&next.refresh()).await;
    assert_eq!(world.call(&last.access()).await, 200, "what is yet to come is not revoked");

    let (_, claims) = decoded(&last.access());
    let family = claims["sid"].as_str().unwrap();
    world.server.revoke_family(family).await.unwrap();
    let event = world.last();
    assert_eq!(
        (event.action, event.reason, event.family.as_deref(), event.application.as_deref()),
        (
            IssuingAction::FamilyRevoked,
            Some("by_administrator"),
            Some(family),
            Some(world.app.id())
        )
    );
    assert_eq!(world.call(&last.access()).await, 401);
    assert_eq!(world.refresh(&last.refresh()).await.status, 401);
    for nothing in [family, "", "nonsense", "AAAAAAAAAAAAAAAAAAAAAA"] {
        world.server.revoke_family(nothing).await.unwrap();
    }
}

/// Who signs out after a pause holds an access token that is good no more.
#[tokio::test]
async fn an_access_token_that_is_good_no_more_still_ends_its_family() {
    let world = World::new().await;
    let (expired, revoked) = (world.authenticate().await, world.authenticate().await);
    world.form("/oauth2/revoke", &format!("token={}", revoked.access())).await;
    world.advance(700);
    let forged = expired.access().replace('.', ".e");
    for (token, status) in [(&forged, 200), (&expired.access(), 401), (&revoked.access(), 401)] {
        let body = serde_json::json!({ "accessToken": token });
        let answer = world.post("/api/Auth/revokeApplicationToken", &body).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "{}"));
        let family = if token == &revoked.access() { &revoked } else { &expired };
        let again = world.refresh(&family.refresh()).await;
        assert_eq!(again.status, status);
        if status == 200 {
            // One that is forged ends nothing; the next one is the same family's.
            assert_ne!(again.refresh(), family.refresh());
        }
    }
}

/// X-LOG-04
#[tokio::test]
async fn whoever_ends_something_is_told_with_what_it_was_of() {
    let world = World::with(|server| server.max_families(1)).await;
    let told = |action, reason, family: Option<String>, is_from_somewhere| {
        let event = world.happened().into_iter().rfind(|event| event.action == action).unwrap();
        assert_eq!((event.reason, event.family.as_deref()), (Some(reason), family.as_deref()));
        assert_eq!(event.application.as_deref(), Some(world.app.id()), "{reason}");
        assert_eq!(event.source.is_some(), is_from_somewhere, "{reason}");
    };
    let family = |access: &str| decoded(access).1["sid"].as_str().map(str::to_owned);
    let first = world.authenticate().await;
    world.advance(1);
    let second = world.authenticate().await;
    let oldest = family(&first.access());
    told(IssuingAction::FamilyRevoked, "too_many_families", oldest, true);
    world.form("/oauth2/revoke", &format!("token={}", second.access())).await;
    told(IssuingAction::TokenRevoked, "by_client", family(&second.access()), true);
    let body = serde_json::json!({ "refreshToken": second.refresh() });
    world.post("/api/Auth/revokeApplicationToken", &body).await;
    told(IssuingAction::FamilyRevoked, "by_holder", family(&second.access()), true);
    let alone = world.form("/oauth2/token", "grant_type=client_credentials").await;
    let body = serde_json::json!({ "accessToken": alone.text("access_token") });
    world.post("/api/Auth/revokeApplicationToken", &body).await;
    told(IssuingAction::TokenRevoked, "by_holder", None, true);
}

/// R-REV-01, I-RT-07: what ends here has ended for every server of the store, and after a restart.
#[tokio::test]
async fn however_something_ended_a_server_that_is_opened_later_refuses_it() {
    for how in ["disable", "delete", "revoke_everything", "revoke_secret", "reuse", "too many"] {
        let store = Memory::new();
        let few = |server: tower_bearer::issue::ServerBuilder| server.max_families(1);
        let world = World::over(store.clone(), few, |endpoints| endpoints).await;
        let pair = world.authenticate().await;
        let (applications, id) = (world.server.applications(), world.app.id());
        let secret = world.app.secrets().next().unwrap().id().to_owned();
        match how {
            "disable" => drop(applications.disable(id).await.unwrap()),
            "delete" => applications.delete(id).await.unwrap(),
            "revoke_everything" => applications.revoke_everything(id).await.unwrap(),
            "revoke_secret" => {
                let families = tower_bearer::issue::Cascade::Yes;
                applications.revoke_secret(id, &secret, families).await.unwrap();
            }
            "reuse" => {
                world.refresh(&pair.refresh()).await;
                world.advance(11);
                assert_eq!(world.refresh(&pair.refresh()).await.status, 401);
            }
            _ => {
                world.advance(1);
                assert_eq!(world.authenticate().await.status, 200);
            }
        }
        let server = world.open_another(store).await;
        let verifier = super::world::verifier(&server, &world.clock);
        let refused = verifier.verify_now(&pair.access()).map_err(|error| error.kind());
        assert_eq!(refused.err(), Some(AuthErrorKind::Revoked), "{how}");
    }
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

    let server = world.open_another(store).await;
    assert_eq!(server.revocations().len(), 2);
    let verifier = super::world::verifier(&server, &world.clock);
    for token in [family.access(), alone] {
        assert_eq!(verifier.verify_now(&token).unwrap_err().kind(), AuthErrorKind::Revoked);
    }
    assert!(verifier.verify_now(&good.access()).is_ok());
}

/// R-REV-01: by the server that was there, and by one that is opened while the clock is wrong.
#[tokio::test]
async fn a_clock_that_jumps_ahead_and_back_revives_nothing() {
    let store = Memory::new();
    let same = |server: tower_bearer::issue::ServerBuilder| server;
    let world = World::over(store.clone(), same, |endpoints| endpoints).await;
    let alone = world.form("/oauth2/token", "grant_type=client_credentials").await;
    let alone = alone.text("access_token");
    let (_, claims) = decoded(&alone);
    let expires_at = claims["exp"].as_u64().unwrap();
    let jti = claims["jti"].as_str().unwrap();
    world.server.revoke_token(jti, UnixTime::from_secs(expires_at)).await.unwrap();

    world.clock.set(expires_at + 23 * 3600);
    world.server.maintain().await.unwrap();
    let another = world.open_another(store).await;
    world.clock.set(NOW + 1);
    for server in [&world.server, &another] {
        let verifier = super::world::verifier(server, &world.clock);
        let refused = verifier.verify_now(&alone).map_err(|error| error.kind());
        assert_eq!(refused.err(), Some(AuthErrorKind::Revoked));
    }
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
    // The longest life of an access token, the largest leeway, and a day.
    world.advance(3600 + 300 + 24 * 3600);
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
