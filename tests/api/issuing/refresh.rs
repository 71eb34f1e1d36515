//! Refresh tokens: rotation, grace, reuse, and their ends.

use std::sync::Arc;

use serde_json::json;
use tower_bearer::{
    event::{IssuingAction, Severity},
    issue::ServerKeys,
    scope::ScopeSet,
};

use super::world::{World, decoded, root};

const DAY: u64 = 24 * 3600;

/// I-RT-05, I-RT-06, I-RT-07, I-RT-22
#[tokio::test]
async fn a_replayed_token_ends_the_family_and_its_access_tokens() {
    let world = World::new().await;
    let first = world.authenticate().await;
    let second = world.refresh(&first.refresh()).await;
    assert_eq!(second.status, 200);
    assert_ne!(second.refresh(), first.refresh());
    assert_ne!(second.access(), first.access());
    let third = world.refresh(&second.refresh()).await;

    let replayed = world.refresh(&first.refresh()).await;
    assert_eq!(replayed.status, 401);
    assert_eq!(replayed.header("www-authenticate"), Some(r#"RefreshToken realm="token""#));
    let event = world.last();
    assert_eq!(event.action, IssuingAction::RefreshReused);
    assert_eq!(event.action.severity(), Severity::Critical);
    assert_eq!(event.application.as_deref(), Some(world.app.id()));
    assert_eq!(event.source, Some("192.0.2.1".parse().unwrap()));
    let (_, claims) = decoded(&first.access());
    assert_eq!(event.family.as_deref(), claims["sid"].as_str());

    assert_eq!(world.refresh(&third.refresh()).await.status, 401);
    for pair in [&first, &second, &third] {
        assert_eq!(world.call(&pair.access()).await, 401);
    }
    assert_eq!(world.count(IssuingAction::RefreshReused), 1, "one alert for one family");
}

/// I-RT-09
#[tokio::test]
async fn the_token_before_gets_the_same_successor_for_ten_seconds() {
    let world = World::new().await;
    let first = world.authenticate().await;
    let second = world.refresh(&first.refresh()).await;
    world.advance(9);
    let again = world.refresh(&first.refresh()).await;
    assert_eq!((again.status, again.refresh()), (200, second.refresh()));
    assert_ne!(again.access(), second.access(), "a fresh access token");
    assert_eq!(world.last().action, IssuingAction::GraceUsed);
    assert_eq!(
        world.refresh(&second.refresh()).await.status,
        200,
        "no fork: the successor goes on"
    );
    // Used, it is no successor any more.
    assert_eq!(world.refresh(&first.refresh()).await.status, 401);
    assert_eq!(world.last().action, IssuingAction::RefreshReused);
}

/// I-RT-09: outside the grace.
#[tokio::test]
async fn ten_seconds_later_it_is_reuse() {
    let world = World::new().await;
    let first = world.authenticate().await;
    let second = world.refresh(&first.refresh()).await;
    world.advance(10);
    assert_eq!(world.refresh(&first.refresh()).await.status, 401);
    assert_eq!(world.refresh(&second.refresh()).await.status, 401);
}

#[tokio::test]
async fn without_grace_the_first_retry_is_reuse() {
    let world = World::with(|server| server.refresh_grace(std::time::Duration::ZERO)).await;
    let first = world.authenticate().await;
    assert_eq!(world.refresh(&first.refresh()).await.status, 200);
    assert_eq!(world.refresh(&first.refresh()).await.status, 401);
    assert_eq!(world.last().action, IssuingAction::RefreshReused);
}

#[tokio::test]
async fn whoever_shadows_the_victim_is_found_after_three_generations() {
    let world = World::new().await;
    let mut current = world.authenticate().await.refresh();
    for generation in 1..=3 {
        let next = world.refresh(&current).await.refresh();
        // Many calls in one generation are one use.
        for _ in 0..5 {
            assert_eq!(world.refresh(&current).await.refresh(), next, "{generation}");
        }
        current = next;
    }
    let next = world.refresh(&current).await.refresh();
    assert_eq!(world.refresh(&current).await.status, 401);
    assert_eq!(world.last().action, IssuingAction::RefreshReused);
    assert_eq!(world.refresh(&next).await.status, 401);
}

/// I-RT-08, I-RT-10
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_parallel_refreshes_one_rotates_and_all_get_the_same() {
    let world = Arc::new(World::new().await);
    let first = world.authenticate().await.refresh();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (world, token) = (Arc::clone(&world), first.clone());
            tokio::spawn(async move { world.refresh(&token).await })
        })
        .collect();
    let mut successors = std::collections::HashSet::new();
    for task in tasks {
        let answer = task.await.unwrap();
        assert_eq!(answer.status, 200);
        successors.insert(answer.refresh());
    }
    assert_eq!(successors.len(), 1);
    assert_eq!(world.count(IssuingAction::Refreshed), 1);
    assert_eq!(world.count(IssuingAction::GraceUsed), 63);
    assert_eq!(world.refresh(&successors.into_iter().next().unwrap()).await.status, 200);
}

/// I-RT-13
#[tokio::test]
async fn a_family_ends_without_use_and_at_its_absolute_end() {
    let world = World::new().await;
    let idle = world.authenticate().await.refresh();
    world.advance(15 * DAY);
    assert_eq!(world.refresh(&idle).await.status, 401);
    assert_eq!(world.last().reason, Some("idle_family"));

    let mut token = world.authenticate().await.refresh();
    for left in [15, 15, 10] {
        let answer = world.refresh(&token).await;
        assert_eq!(answer.json()["refreshExpiresIn"], left * DAY);
        token = answer.refresh();
        world.advance(10 * DAY);
    }
    assert_eq!(world.refresh(&token).await.status, 401);
    assert_eq!(world.last().reason, Some("expired_family"));
}

/// I-RT-11, I-RT-17, I-RT-18
#[tokio::test]
async fn whatever_is_wrong_with_a_token_the_answer_is_the_same() {
    let world = World::new().await;
    let pair = world.authenticate().await;
    let token = pair.refresh();
    let foreign = World::with(|server| server.keys(ServerKeys::new(&root(9)))).await;
    let mut changed = token.clone();
    changed.replace_range(10..11, if &token[10..11] == "A" { "B" } else { "A" });
    let first = world.refresh("nonsense").await;
    assert_eq!(first.status, 401);
    let other = foreign.authenticate().await.refresh();
    for wrong in [changed, token[1..].to_owned(), pair.access(), other, String::new()] {
        assert_eq!(world.refresh(&wrong).await.all(), first.all(), "{wrong}");
        assert_eq!(world.last().reason, Some("forged_token"));
    }
    // An access token is none, and the reverse.
    assert_eq!(world.call(&token).await, 401);
    world.advance(16 * DAY);
    assert_eq!(world.refresh(&token).await.all(), first.all());
}

/// I-RT-15
#[tokio::test]
async fn what_the_application_may_not_have_any_more_is_not_refreshed() {
    let world = World::new().await;
    let applications = world.server.applications();
    let id = world.app.id();
    let first = world.authenticate().await;
    applications.set_scopes(id, ScopeSet::parse("reports:read other").unwrap()).await.unwrap();
    let narrowed = world.refresh(&first.refresh()).await;
    assert_eq!(narrowed.json()["scope"], "reports:read");
    applications
        .set_scopes(id, ScopeSet::parse("reports:read reports:write").unwrap())
        .await
        .unwrap();
    let again = world.refresh(&narrowed.refresh()).await;
    assert_eq!(again.json()["scope"], "reports:read reports:write");
    applications.set_scopes(id, ScopeSet::parse("other").unwrap()).await.unwrap();
    assert_eq!(world.refresh(&again.refresh()).await.status, 400);
    applications.set_scopes(id, ScopeSet::parse("reports:read").unwrap()).await.unwrap();
    applications.set_audiences(id, ["https://third.test"]).await.unwrap();
    assert_eq!(world.refresh(&again.refresh()).await.status, 401);
    assert_eq!(world.last().reason, Some("audience_withdrawn"));
}

/// I-RT-23
#[tokio::test]
async fn one_family_too_many_ends_the_oldest() {
    let world = World::with(|server| server.max_families(2)).await;
    let mut pairs = Vec::new();
    for _ in 0..3 {
        pairs.push(world.authenticate().await);
        world.advance(1);
    }
    assert_eq!(world.call(&pairs[0].access()).await, 401);
    assert_eq!(world.refresh(&pairs[0].refresh()).await.status, 401);
    for pair in &pairs[1..] {
        assert_eq!(world.call(&pair.access()).await, 200);
        assert_eq!(world.refresh(&pair.refresh()).await.status, 200);
    }
}

/// They would all end the same family, in a store that takes its time.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn many_may_authenticate_at_once_when_each_ends_an_old_family() {
    let dir = crate::folder::Folder::new();
    let store = tower_bearer::store::Sqlite::open(dir.store()).await.unwrap();
    let few = |server: tower_bearer::issue::ServerBuilder| server.max_families(2);
    let world = Arc::new(World::over(store.clone(), few, |endpoints| endpoints).await);
    for _ in 0..2 {
        assert_eq!(world.authenticate().await.status, 200);
    }
    world.advance(1);
    let asked: Vec<_> = (0..40)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.authenticate().await })
        })
        .collect();
    let mut answers = Vec::new();
    for answer in asked {
        answers.push(answer.await.unwrap());
    }
    let mut live = 0;
    for answer in answers {
        assert_eq!(answer.status, 200, "{answer:?}");
        live += usize::from(world.call(&answer.access()).await == 200);
    }
    assert_eq!(live, 2);
    store.close().await.unwrap();
}

#[tokio::test]
async fn refused_tokens_may_be_answered_with_400() {
    let world = World::with_endpoints(|endpoints| endpoints.refresh_refused_with_400()).await;
    let answer = world.refresh("nonsense").await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (400, None));
}

#[tokio::test]
async fn the_keys_of_refresh_tokens_rotate_while_serving() {
    let world = World::new().await;
    let old = world.authenticate().await;
    let both = ServerKeys::new(&root(2)).with_previous(&root(1));
    world.server.replace_server_keys(both).await.unwrap();
    let next = world.refresh(&old.refresh()).await;
    assert_eq!(next.status, 200);
    // The lost answer is given again, though with the new key.
    assert_eq!(world.refresh(&old.refresh()).await.refresh(), next.refresh());
    world.server.replace_server_keys(ServerKeys::new(&root(2))).await.unwrap();
    assert_eq!(world.refresh(&next.refresh()).await.status, 200);
    assert_eq!(world.refresh(&old.refresh()).await.status, 401);
    assert_eq!(world.last().reason, Some("forged_token"));
}

/// I-RT-16
#[tokio::test]
async fn a_secret_that_leaked_takes_its_families_along() {
    use tower_bearer::issue::Cascade;
    let world = World::new().await;
    let applications = world.server.applications();
    let pair = world.authenticate().await;
    let second = applications.add_secret(world.app.id(), "second").await.unwrap();
    let other = world.authenticate_with("App1", second.expose()).await;
    let app = applications.get(world.app.id()).await.unwrap();
    let first = app.secrets().next().unwrap().id().to_owned();
    applications.revoke_secret(world.app.id(), &first, Cascade::Yes).await.unwrap();
    assert_eq!(world.refresh(&pair.refresh()).await.status, 401);
    assert_eq!(world.call(&pair.access()).await, 401);
    assert_eq!(world.authenticate().await.status, 401);
    world.advance(1);
    let refreshed = world.refresh(&other.refresh()).await;
    assert_eq!(refreshed.status, 200, "{}", json!(refreshed.text));
}
