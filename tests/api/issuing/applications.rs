//! The administration of applications.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use tower_bearer::{
    event::{AuthEvent, IssuingAction},
    issue::{AdminError, ApplicationRecord, Applied, Cascade, NewApplication, Store as _, Write},
    scope::ScopeSet,
    store::Memory,
};

use super::world::{API, Answer, World, decoded, new_app};
use crate::support::{NOW, at_once, poll_once};

const YEAR: u64 = 365 * 24 * 3600;
const CHOSEN: &str = "correct horse battery staple";

/// I-SEC-01, I-SEC-02, I-SEC-03, I-SEC-14
#[tokio::test]
async fn a_secret_is_generated_shown_once_and_never_printed() {
    let world = World::new().await;
    let secret = world.secret.expose();
    let (head, checksum) = secret.rsplit_once('_').unwrap();
    let (prefix, payload) = head.split_once('_').unwrap();
    assert_eq!((prefix, payload.len(), checksum.len()), ("tbs", 43, 6));
    assert!(format!("{payload}{checksum}").bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let app = world.server.applications().get(world.app.id()).await.unwrap();
    let printed = format!("{:?} {app:?} {:?}", world.secret, world.server);
    assert!(!printed.contains(payload) && !printed.contains("hmac"), "{printed}");
    let mut seen = std::collections::HashSet::new();
    let world = World::with(|server| server.secret_prefix("acme")).await;
    for number in 0..200 {
        let (app, secret) = world.another(new_app(&format!("App {number}"))).await;
        assert!(secret.expose().starts_with("acme_"));
        assert!(seen.insert(secret.expose().to_owned()) && seen.insert(app.id().to_owned()));
    }
}

/// I-AT-04: nobody chooses what is the subject of tokens.
#[tokio::test]
async fn a_client_id_is_generated() {
    let world = World::new().await;
    let id = world.app.id().strip_prefix("app_").unwrap();
    assert!(id.len() == 22 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
}

#[tokio::test]
async fn names_are_unique_and_compared_byte_for_byte() {
    let world = World::new().await;
    let applications = world.server.applications();
    let taken = applications.create(new_app("App1")).await.unwrap_err();
    assert_eq!(
        taken.to_string(),
        "the name \"App1\" is taken: choose another, or delete the application that has it"
    );
    // e with an accent, composed and not.
    for name in ["app1", "App1 ", "Ap\u{e9}", "Ape\u{301}", &"x".repeat(128)] {
        let (app, secret) = world.another(new_app(name)).await;
        assert_eq!(applications.named(name).await.unwrap().unwrap().id(), app.id());
        assert_eq!(world.authenticate_with(name, secret.expose()).await.status, 200, "{name:?}");
    }
    assert!(applications.named("ap\u{e9}").await.unwrap().is_none());
}

#[tokio::test]
async fn what_cannot_be_used_is_named_with_its_remedy() {
    let world = World::new().await;
    let applications = world.server.applications();
    for (new, said) in [
        (new_app(""), "name \"\": use 1 to 128 bytes without control characters"),
        (new_app("a\nb"), "name \"a\\nb\": use 1 to 128 bytes without control characters"),
        (new_app(&"x".repeat(129)), "use 1 to 128 bytes"),
        (
            NewApplication::new("A"),
            "audience \"\": name at least one service that its tokens are for",
        ),
        (NewApplication::new("A").audience("a b"), "audience \"a b\": use 1 to 512 visible ASCII"),
        (new_app("A").access_lifetime(Duration::from_secs(29)), "\"29 s\": use 30 s to one hour"),
        (new_app("A").access_lifetime(Duration::from_secs(3601)), "\"3601 s\": use 30 s"),
        (new_app("A").access_lifetime(Duration::from_millis(59_900)), "in whole seconds"),
    ] {
        let error = applications.create(new).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    for id in ["nobody", "App1"] {
        let error = applications.disable(id).await.unwrap_err();
        assert!(matches!(error, AdminError::NotFound { .. }), "{error}");
    }
}

/// I-SEC-10
#[tokio::test]
async fn two_secrets_overlap_and_each_is_revoked_alone() {
    let world = World::new().await;
    let (applications, id) = (world.server.applications(), world.app.id());
    let second = applications.add_secret(id, "second").await.unwrap();
    let third = applications.add_secret(id, "third").await.unwrap_err();
    assert!(matches!(third, AdminError::TooManySecrets));
    assert_eq!(world.authenticate().await.status, 200);
    let pair = world.authenticate_with("App1", second.expose()).await;
    let app = applications.get(id).await.unwrap();
    let labels: Vec<_> = app.secrets().map(|secret| secret.label()).collect();
    assert_eq!(labels, ["first", "second"]);
    let first = app.secrets().next().unwrap().id().to_owned();
    applications.revoke_secret(id, &first, Cascade::No).await.unwrap();
    assert_eq!(world.last().secret.as_deref(), Some(&*first));
    assert_eq!(world.authenticate().await.status, 401);
    assert_eq!(world.authenticate_with("App1", second.expose()).await.status, 200);
    assert_eq!(world.refresh(&pair.refresh()).await.status, 200);
    let again = applications.revoke_secret(id, &first, Cascade::No).await.unwrap_err();
    assert!(matches!(again, AdminError::NoSuchSecret { .. }));
    applications.add_secret(id, "third").await.unwrap();
}

/// I-SEC-11
#[tokio::test]
async fn a_secret_expires_after_a_year_and_its_last_use_is_seen() {
    let world = World::new().await;
    let (applications, id) = (world.server.applications(), world.app.id());
    let used = || async {
        let app = applications.get(id).await.unwrap();
        let secret = app.secrets().next().unwrap();
        assert_eq!(secret.expires_at().as_secs(), NOW + YEAR);
        secret.last_used_at().map(|time| time.as_secs())
    };
    assert_eq!(used().await, None);
    world.authenticate().await;
    assert_eq!(used().await, Some(NOW));
    world.advance(59);
    world.authenticate().await;
    assert_eq!(used().await, Some(NOW), "to the minute");
    world.advance(1);
    world.form("/oauth2/token", "grant_type=client_credentials").await;
    assert_eq!(used().await, Some(NOW + 60));
    world.advance(60);
    world.form("/oauth2/introspect", "token=x").await;
    assert_eq!(used().await, Some(NOW + 120));
    world.clock.set(NOW + YEAR - 1);
    assert_eq!(world.authenticate().await.status, 200);
    world.advance(1);
    assert_eq!(world.authenticate().await.status, 401);
    // It makes room for others.
    applications.add_secret(id, "second").await.unwrap();
    applications.add_secret(id, "third").await.unwrap();
    assert_eq!(applications.get(id).await.unwrap().secrets().count(), 2);
}

/// I-SEC-05, I-SEC-06
#[tokio::test]
async fn a_chosen_secret_is_hashed_slowly_and_must_be_long() {
    let world = World::new().await;
    let (applications, id) = (world.server.applications(), world.app.id());
    let shaped = format!("ab_{}_{}", "x".repeat(43), "y".repeat(6));
    for (chosen, said) in [
        ("hunter2", "use 15 to 512 characters"),
        (&"x".repeat(513), "use 15 to 512 characters"),
        ("fifteen charact\u{e9}rs", "printable ASCII"),
        ("with a line\nbreak in it", "printable ASCII"),
        (&shaped, "it looks like a generated one"),
        (world.secret.expose(), "it looks like a generated one"),
    ] {
        let error = applications.add_chosen_secret(id, "chosen", chosen).await.unwrap_err();
        let error = error.to_string();
        assert!(error.contains(said) && !error.contains(chosen), "{error}");
    }
    applications.add_chosen_secret(id, "chosen", CHOSEN).await.unwrap();
    assert_eq!(world.authenticate_with("App1", CHOSEN).await.status, 200);
    assert_eq!(world.authenticate_with("App1", &CHOSEN.replace('c', "C")).await.status, 401);
    assert_eq!(world.authenticate().await.status, 200, "the generated one still works");
}

#[tokio::test]
async fn two_chosen_secrets_are_told_apart() {
    let world = World::new().await;
    let (applications, id) = (world.server.applications(), world.app.id());
    let first = applications.get(id).await.unwrap().secrets().next().unwrap().id().to_owned();
    applications.revoke_secret(id, &first, Cascade::No).await.unwrap();
    applications.add_chosen_secret(id, "one", CHOSEN).await.unwrap();
    applications.add_chosen_secret(id, "two", "another secret of mine").await.unwrap();
    for (chosen, label) in [(CHOSEN, "one"), ("another secret of mine", "two")] {
        assert_eq!(world.authenticate_with("App1", chosen).await.status, 200);
        let authenticated = world
            .happened()
            .into_iter()
            .rfind(|event| event.action == IssuingAction::Authenticated)
            .unwrap();
        let app = applications.get(id).await.unwrap();
        let used = app.secrets().find(|secret| secret.label() == label).unwrap();
        assert_eq!(authenticated.secret.as_deref(), Some(used.id()));
    }
}

/// I-SEC-07
#[tokio::test]
async fn many_slow_hashes_at_once_are_turned_away_and_nobody_is_blamed() {
    let world = World::new().await;
    let names: Vec<_> = (0..100).map(|number| format!("App {number}")).collect();
    let asked = names.iter().map(|name| world.authenticate_with(name, "some chosen secret"));
    let mut requests: Vec<_> = asked.map(Box::pin).collect();
    // All have come before the first one is answered, however long that takes.
    let mut turned_away = Vec::new();
    requests.retain_mut(|request| match poll_once(request) {
        Poll::Ready(answer) => {
            turned_away.push(answer.status);
            false
        }
        Poll::Pending => true,
    });
    assert_eq!((requests.len(), turned_away), (68, vec![429; 32]));
    for request in requests {
        assert_eq!(request.await.status, 401);
    }
}

/// I-SEC-12
#[tokio::test]
async fn the_pepper_rotates_while_serving() {
    use super::world::root;
    use tower_bearer::issue::ServerKeys;
    let world = World::new().await;
    let (used, unused) =
        (world.another(new_app("Used")).await, world.another(new_app("Unused")).await);
    let rotated = ServerKeys::new(&root(2)).with_previous(&root(1));
    world.server.replace_server_keys(rotated).await.unwrap();
    assert_eq!(world.authenticate_with("Used", used.1.expose()).await.status, 200);
    assert_eq!(world.count(IssuingAction::SecretRehashed), 1);
    assert_eq!(world.authenticate_with("Used", used.1.expose()).await.status, 200);
    assert_eq!(world.count(IssuingAction::SecretRehashed), 1, "once is enough");
    let only_new = ServerKeys::new(&root(2));
    world.server.replace_server_keys(only_new).await.unwrap();
    assert_eq!(world.authenticate_with("Used", used.1.expose()).await.status, 200);
    assert_eq!(world.authenticate_with("Unused", unused.1.expose()).await.status, 401);
}

#[tokio::test]
async fn what_is_disabled_ends_at_the_next_request_and_begins_anew_when_enabled() {
    let world = World::new().await;
    let (applications, id) = (world.server.applications(), world.app.id());
    let pair = world.authenticate().await;
    let alone = world.form("/oauth2/token", "grant_type=client_credentials").await;
    assert!(!applications.disable(id).await.unwrap().is_enabled());
    for token in [pair.access(), alone.text("access_token")] {
        assert_eq!(world.call(&token).await, 401);
    }
    assert_eq!(world.refresh(&pair.refresh()).await.status, 401);
    assert_eq!(world.authenticate().await.status, 401);
    assert!(applications.enable(id).await.unwrap().is_enabled());
    assert_eq!(world.refresh(&pair.refresh()).await.status, 401);
    assert_eq!(world.call(&pair.access()).await, 401);
    world.advance(1);
    let again = world.authenticate().await;
    assert_eq!(world.call(&again.access()).await, 200);
    assert_eq!(world.call(&pair.access()).await, 401);
}

#[tokio::test]
async fn everything_of_an_application_is_revoked_and_of_no_other() {
    let world = World::new().await;
    let (_, other) = world.another(new_app("App2")).await;
    let pairs = [world.authenticate().await, world.authenticate().await];
    let others = world.authenticate_with("App2", other.expose()).await;
    world.server.applications().revoke_everything(world.app.id()).await.unwrap();
    assert_eq!(world.last().action, IssuingAction::ApplicationRevoked);
    for pair in pairs {
        assert_eq!(world.call(&pair.access()).await, 401);
        assert_eq!(world.refresh(&pair.refresh()).await.status, 401);
    }
    assert_eq!(world.call(&others.access()).await, 200);
    world.advance(1);
    assert_eq!(world.call(&world.authenticate().await.access()).await, 200);
}

#[tokio::test]
async fn a_deleted_application_is_gone_and_its_name_free() {
    let world = World::new().await;
    let (applications, id) = (world.server.applications(), world.app.id());
    let pair = world.authenticate().await;
    applications.delete(id).await.unwrap();
    assert_eq!(world.call(&pair.access()).await, 401);
    assert_eq!(world.refresh(&pair.refresh()).await.status, 401);
    assert_eq!(world.authenticate().await.status, 401);
    assert!(matches!(applications.delete(id).await.unwrap_err(), AdminError::NotFound { .. }));
    let (again, _) = world.another(new_app("App1")).await;
    assert_ne!(again.id(), id);
}

#[tokio::test]
async fn applications_are_listed_in_pages() {
    let world = World::new().await;
    let applications = world.server.applications();
    let mut ids = vec![world.app.id().to_owned()];
    for number in 0..4 {
        ids.push(world.another(new_app(&format!("App {number}"))).await.0.id().to_owned());
    }
    ids.sort_unstable();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = applications.list(after.as_deref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id().to_owned());
        seen.extend(page.iter().map(|app| app.id().to_owned()));
    }
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn settings_are_changed_while_serving() {
    let world = World::new().await;
    let (applications, id) = (world.server.applications(), world.app.id());
    applications.set_access_lifetime(id, Some(Duration::from_secs(60))).await.unwrap();
    applications.set_audiences(id, ["https://new.test", API]).await.unwrap();
    applications.set_scopes(id, ScopeSet::parse("new").unwrap()).await.unwrap();
    let app = applications.set_introspects(id, true).await.unwrap();
    assert!(app.introspects() && !app.has_oauth_refresh());
    assert_eq!(app.access_lifetime(), Some(Duration::from_secs(60)));
    assert_eq!(app.audiences().collect::<Vec<_>>(), ["https://new.test", API]);
    let answer = world.authenticate().await;
    assert_eq!(answer.json()["expiresIn"], 60);
    let (_, claims) = decoded(&answer.access());
    assert_eq!(claims["exp"].as_u64(), Some(NOW + 60));
    assert_eq!(
        (claims["aud"].as_str(), claims["scope"].as_str()),
        (Some("https://new.test"), Some("new"))
    );
    for wrong in [0, 29, 3601] {
        let wrong = Some(Duration::from_secs(wrong));
        assert!(applications.set_access_lifetime(id, wrong).await.is_err());
    }
    assert!(applications.set_audiences(id, Vec::<String>::new()).await.is_err());
    assert_eq!(world.count(IssuingAction::ApplicationChanged), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_authenticates_while_it_is_disabled_gets_nothing_that_lives() {
    for _ in 0..20 {
        let world = Arc::new(World::new().await);
        let askers: Vec<_> = (0..8)
            .map(|_| {
                let world = Arc::clone(&world);
                tokio::spawn(async move { world.authenticate().await })
            })
            .collect();
        world.server.applications().disable(world.app.id()).await.unwrap();
        for asker in askers {
            let answer = asker.await.unwrap();
            if answer.status == 200 {
                assert_eq!(world.call(&answer.access()).await, 401);
                assert_eq!(world.refresh(&answer.refresh()).await.status, 401);
            } else {
                // Some were too many failures at once, some came in the second of the cut-off.
                assert!([401, 429, 503].contains(&answer.status), "{answer:?}");
            }
        }
    }
}

/// What became of a request whose application was changed after it had proved who it is, and how
/// often it had to prove that.
async fn authenticate_while(change: fn(&mut ApplicationRecord)) -> (Answer, usize) {
    let (memory, proved) = (Memory::new(), Arc::new(AtomicUsize::new(0)));
    let (store, count) = (memory.clone(), Arc::clone(&proved));
    let meddle = move |event: &AuthEvent| {
        let AuthEvent::Issuing(event) = event else { return };
        if event.action == IssuingAction::Authenticated && count.fetch_add(1, Ordering::SeqCst) == 0
        {
            let found = at_once(store.application_named("App1")).unwrap().unwrap();
            let mut record = ApplicationRecord { version: found.version + 1, ..found };
            change(&mut record);
            let written = at_once(store.apply(vec![Write::ReplaceApplication(record)])).unwrap();
            assert_eq!(written, Applied::Done);
        }
    };
    let world = World::over(memory, |server| server.on_event(meddle), |endpoints| endpoints).await;
    (world.authenticate().await, proved.load(Ordering::SeqCst))
}

#[tokio::test]
async fn who_authenticated_gets_what_the_application_may_have_when_it_is_given() {
    let fewer = |record: &mut ApplicationRecord| {
        record.scopes = ScopeSet::parse("reports:read").unwrap();
    };
    let (narrowed, proved) = authenticate_while(fewer).await;
    assert_eq!((narrowed.status, narrowed.text("scope").as_str()), (200, "reports:read"));
    assert_eq!(proved, 1, "the secret was right and is not looked at again");
    let changes: [fn(&mut ApplicationRecord); 3] = [
        |record| record.enabled = false,
        |record| record.secrets.clear(),
        |record| record.secrets[0].expires_at = tower_bearer::time::UnixTime::from_secs(NOW),
    ];
    for change in changes {
        let (answer, _) = authenticate_while(change).await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
}

/// A token of that second would be refused for all its life.
#[tokio::test]
async fn nothing_is_issued_in_the_second_of_a_cut_off() {
    let world = World::new().await;
    let pair = world.authenticate().await;
    world.server.revoke_access_tokens().await.unwrap();
    for answer in [world.authenticate().await, world.refresh(&pair.refresh()).await] {
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(world.last().reason, Some("just_revoked"));
    }
    let answer = world.form("/oauth2/token", "grant_type=client_credentials").await;
    assert_eq!(answer.error(), (503, "temporarily_unavailable".to_owned()));
    world.advance(1);
    for answer in [world.authenticate().await, world.refresh(&pair.refresh()).await] {
        assert_eq!(world.call(&answer.access()).await, 200);
    }
}
