//! Applications are added, found, listed and replaced.

use std::time::Duration;

use super::{
    samples::{MOST, NAMES, NOW, application, at, next, odd_texts, scopes, secret},
    trial::{Open, Trial, answer, same},
};
use crate::{
    issue::{ApplicationRecord, SecretRecord, Write},
    scope::ScopeSet,
};

pub(super) async fn check(open: Open<'_>) {
    keeps_every_field(open().await).await;
    keeps_odd_texts(open().await).await;
    keeps_great_numbers(open().await).await;
    ids_and_names_are_unique(open().await).await;
    names_are_compared_byte_for_byte(open().await).await;
    pages_are_in_the_order_of_bytes(open().await).await;
    replaces_the_version_before(open().await).await;
    a_name_is_free_when_it_is_given_up(open().await).await;
    secrets_are_replaced(open().await).await;
    keeps_the_later_use_of_a_secret(open().await).await;
    notes_the_last_use_of_a_secret(open().await).await;
}

/// What is stored is found as it was, by id, by name and in the list.
async fn stores(trial: &Trial, line: &str, stored: ApplicationRecord) {
    trial.done(line, [Write::InsertApplication(stored.clone())]).await;
    same(line, &trial.get(&stored.id).await, &stored);
    same(line, answer(trial.application_named(&stored.name)).await.as_ref(), Some(&stored));
    let listed = answer(trial.applications(None, usize::MAX)).await;
    same(line, listed.iter().find(|listed| listed.id == stored.id), Some(&stored));
}

async fn keeps_every_field(trial: Trial) {
    let line = "a store keeps every field of an application";
    same(line, answer(trial.application("app_none")).await, None);
    same(line, answer(trial.application_named("none")).await, None);
    let plain = application("app_0", "plain");
    let used = SecretRecord { last_used_at: Some(at(NOW + 60)), ..secret("s2") };
    let variants = [
        ApplicationRecord { enabled: false, ..plain.clone() },
        ApplicationRecord { oauth_refresh: true, ..plain.clone() },
        ApplicationRecord { introspects: true, ..plain.clone() },
        ApplicationRecord { access_lifetime: None, ..plain.clone() },
        ApplicationRecord { access_lifetime: Some(Duration::ZERO), ..plain.clone() },
        ApplicationRecord { scopes: ScopeSet::empty(), ..plain.clone() },
        ApplicationRecord { scopes: scopes("!#$%&'()*+,-./:;<=>?@[]^_`{|}~ a 1"), ..plain.clone() },
        ApplicationRecord { audiences: Vec::new(), ..plain.clone() },
        ApplicationRecord {
            audiences: ["b", "a", "", "b"].map(str::to_owned).into(),
            ..plain.clone()
        },
        ApplicationRecord { secrets: Vec::new(), ..plain.clone() },
        // The order is that of the list, and not that of the ids.
        ApplicationRecord { secrets: vec![used, secret("s1"), secret("s0")], ..plain },
    ];
    for (number, variant) in variants.into_iter().enumerate() {
        let (id, name) = (format!("app_{number}"), format!("App {number}"));
        stores(&trial, line, ApplicationRecord { id, name, ..variant }).await;
    }
}

async fn keeps_odd_texts(trial: Trial) {
    let line = "texts are kept byte for byte, whatever they hold";
    for text in odd_texts() {
        let odd = SecretRecord { digest: text.clone(), label: text.clone(), ..secret(&text) };
        let audiences = vec![text.clone(), String::new()];
        let secrets = vec![odd];
        let plain = application(&text, &text);
        stores(&trial, line, ApplicationRecord { audiences, secrets, ..plain }).await;
    }
}

async fn keeps_great_numbers(trial: Trial) {
    let line = "numbers are kept exactly, up to 2^63 - 1";
    // Zero, and what a floating-point number cannot hold.
    for number in [0, (1 << 53) + 1, MOST - 1, MOST] {
        let time = at(number);
        let great = SecretRecord {
            created_at: time,
            expires_at: time,
            last_used_at: Some(time),
            ..secret("s1")
        };
        let stored = ApplicationRecord {
            version: number,
            access_lifetime: Some(Duration::from_secs(number)),
            created_at: time,
            secrets: vec![great],
            ..application(&format!("app_{number}"), &number.to_string())
        };
        stores(&trial, line, stored).await;
    }
}

async fn ids_and_names_are_unique(trial: Trial) {
    let line = "an application is added if neither its id nor its name is taken";
    trial.done(line, [Write::InsertApplication(application("app_1", "one"))]).await;
    for (id, name) in [("app_1", "one"), ("app_1", "two"), ("app_2", "one")] {
        trial.conflict(line, [Write::InsertApplication(application(id, name))]).await;
    }
    trial.done(line, [Write::InsertApplication(application("app_2", "two"))]).await;
    // Ids and names do not get in each other's way.
    trial.done(line, [Write::InsertApplication(application("one", "app_1"))]).await;
}

async fn names_are_compared_byte_for_byte(trial: Trial) {
    let line = "names are compared byte for byte";
    for (number, name) in NAMES.iter().enumerate() {
        let id = format!("app_{number}");
        trial.done(line, [Write::InsertApplication(application(&id, name))]).await;
    }
    for (number, name) in NAMES.iter().enumerate() {
        let found = answer(trial.application_named(name)).await;
        same(line, found.map(|found| found.id), Some(format!("app_{number}")));
    }
    for name in ["", "App", "App11", "App%", "App_", "\u{c4}PP"] {
        same(line, answer(trial.application_named(name)).await, None);
    }
    let line = "ids are compared byte for byte";
    for id in ["", "app", "APP_1", "app_1 ", "app__"] {
        same(line, answer(trial.application(id)).await, None);
    }
}

async fn pages_are_in_the_order_of_bytes(trial: Trial) {
    let line = "applications are listed in the order of the bytes of their ids";
    same(line, answer(trial.applications(None, 10)).await, Vec::new());
    let ordered = ["B", "a", "a b", "a_10", "a_9", "ab", "z", "\u{e9}", "\u{ffee}", "\u{1f511}"];
    for id in [9, 3, 0, 7, 5, 1, 8, 4, 6, 2].map(|place: usize| ordered[place]) {
        trial.done(line, [Write::InsertApplication(application(id, id))]).await;
    }
    let ids = async |after: Option<&str>, limit| -> Vec<String> {
        let page = answer(trial.applications(after, limit)).await;
        page.into_iter().map(|listed| listed.id).collect()
    };
    same(line, ids(None, usize::MAX).await, ordered.map(str::to_owned).to_vec());
    let line = "a page has at most `limit` applications, those after `after`";
    for (number, id) in ordered.iter().enumerate() {
        let expected: Vec<_> = ordered.iter().skip(number + 1).take(2).copied().collect();
        same(line, ids(Some(id), 2).await, expected.iter().map(|id| (*id).to_owned()).collect());
    }
    same(line, ids(Some("a_5"), 1).await, vec!["a_9".to_owned()]);
    same(line, ids(Some(""), 1).await, vec!["B".to_owned()]);
    same(line, ids(None, 0).await, Vec::new());
}

async fn replaces_the_version_before(trial: Trial) {
    let line = "an application is replaced if the version there is one less";
    let first = application("app_1", "one");
    trial.conflict(line, [Write::ReplaceApplication(next(&first))]).await;
    trial.done(line, [Write::InsertApplication(first.clone())]).await;
    for version in [0, 1, 3, MOST] {
        let other = ApplicationRecord { version, ..first.clone() };
        trial.conflict(line, [Write::ReplaceApplication(other)]).await;
    }
    let second = ApplicationRecord {
        version: 2,
        enabled: false,
        scopes: scopes("other"),
        audiences: vec!["https://other.test".to_owned()],
        access_lifetime: None,
        oauth_refresh: true,
        introspects: true,
        created_at: at(NOW + 1),
        name: "renamed".to_owned(),
        ..first.clone()
    };
    trial.done(line, [Write::ReplaceApplication(second.clone())]).await;
    same("every field is replaced", trial.get("app_1").await, second.clone());
    trial.conflict(line, [Write::ReplaceApplication(second)]).await;
}

async fn a_name_is_free_when_it_is_given_up(trial: Trial) {
    let line = "an application is not renamed to the name of another one";
    let [one, two] = [application("app_1", "one"), application("app_2", "two")];
    trial.done(line, [one.clone(), two].map(Write::InsertApplication)).await;
    let taken = ApplicationRecord { name: "two".to_owned(), ..next(&one) };
    trial.conflict(line, [Write::ReplaceApplication(taken)]).await;
    let renamed = ApplicationRecord { name: "three".to_owned(), ..next(&one) };
    trial.done(line, [Write::ReplaceApplication(renamed.clone())]).await;

    let line = "a name that was given up is free, and finds nothing";
    same(line, answer(trial.application_named("one")).await, None);
    same(line, answer(trial.application_named("three")).await, Some(renamed));
    trial.done(line, [Write::InsertApplication(application("app_3", "one"))]).await;
}

async fn secrets_are_replaced(trial: Trial) {
    let line = "the secrets are those of the last record, in its order";
    let first = application("app_1", "one");
    trial.done(line, [Write::InsertApplication(first.clone())]).await;
    let changed = SecretRecord {
        digest: "another".to_owned(),
        label: "another".to_owned(),
        created_at: at(NOW + 1),
        expires_at: at(NOW + 2),
        ..secret("s1")
    };
    let second = ApplicationRecord { secrets: vec![secret("s2"), changed], ..next(&first) };
    trial.done(line, [Write::ReplaceApplication(second.clone())]).await;
    same(line, trial.get("app_1").await, second.clone());
    let third = ApplicationRecord { secrets: vec![secret("s2")], ..next(&second) };
    trial.done(line, [Write::ReplaceApplication(third.clone())]).await;
    same(line, trial.get("app_1").await, third);
}

async fn keeps_the_later_use_of_a_secret(trial: Trial) {
    let line = "the last use of a secret that is in both records is the later one";
    let first = ApplicationRecord {
        secrets: vec![secret("s1"), secret("s2")],
        ..application("app_1", "one")
    };
    trial.done(line, [Write::InsertApplication(first.clone())]).await;
    // A use is noted after the record was read that is now replaced.
    trial.done(line, [used("app_1", "s1", 500)]).await;
    trial.done(line, [Write::ReplaceApplication(next(&first))]).await;
    same(line, uses(&trial.get("app_1").await), vec![Some(500), None]);

    let mut third = next(&next(&first));
    for (secret, at_last) in third.secrets.iter_mut().zip([400, 400]) {
        secret.last_used_at = Some(at(at_last));
    }
    trial.done(line, [Write::ReplaceApplication(third.clone())]).await;
    same(line, uses(&trial.get("app_1").await), vec![Some(500), Some(400)]);

    let line = "a secret that is taken away and added again was not used";
    let without = ApplicationRecord { secrets: Vec::new(), ..next(&third) };
    let again = ApplicationRecord { secrets: vec![secret("s1")], ..next(&without) };
    trial.done(line, [without, again].map(Write::ReplaceApplication)).await;
    same(line, uses(&trial.get("app_1").await), vec![None]);
}

async fn notes_the_last_use_of_a_secret(trial: Trial) {
    let line = "the last use of a secret is noted, unless a later one is; the version stays";
    let [one, two] = [application("app_1", "one"), application("app_2", "two")];
    trial.done(line, [one.clone(), two.clone()].map(Write::InsertApplication)).await;
    for (time, expected) in [(50, 50), (70, 70), (60, 70), (70, 70)] {
        trial.done(line, [used("app_1", "s1", time)]).await;
        let found = trial.get("app_1").await;
        same(line, uses(&found), vec![Some(expected)]);
        same(line, found.version, 1);
    }
    same("the secret of another application is another one", trial.get("app_2").await, two);
    let line = "the use of a secret that is gone is nothing to note";
    trial.done(line, [used("app_1", "s2", 80), used("app_3", "s1", 80)]).await;
    same(line, uses(&trial.get("app_1").await), vec![Some(70)]);
    let line = "noting the use of a secret stands in the way of no change";
    trial.done(line, [Write::ReplaceApplication(next(&one))]).await;
}

fn used(application: &str, secret: &str, time: u64) -> Write {
    Write::SecretUsed {
        application: application.to_owned(),
        secret: secret.to_owned(),
        at: at(time),
    }
}

/// When the secrets were last used.
fn uses(application: &ApplicationRecord) -> Vec<Option<u64>> {
    let last = |secret: &SecretRecord| secret.last_used_at.map(|used| used.as_secs());
    application.secrets.iter().map(last).collect()
}
