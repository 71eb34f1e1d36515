//! Writes that are done together or not at all.

use std::task::{Context, Waker};

use super::{
    samples::{NOW, application, at, family, id, key, next, rotated},
    trial::{Open, Trial, answer, same},
};
use crate::{
    issue::{ApplicationRecord, Write},
    revocation::Revocation,
};

pub(super) async fn check(open: Open<'_>) {
    nothing_is_something_to_do(open().await).await;
    a_conflict_undoes_every_kind_of_write(open().await).await;
    a_conflict_anywhere_undoes_all(open().await).await;
    conditions_see_the_writes_before(open().await).await;
    all_is_done_together(open().await).await;
    a_future_that_is_dropped_has_done_all_or_none(open().await).await;
}

async fn nothing_is_something_to_do(trial: Trial) {
    trial.done("no writes are always done", []).await;
}

/// An application with two families, a key and revocations.
async fn furnished(trial: &Trial) {
    let writes = [
        Write::InsertApplication(application("app_1", "one")),
        Write::InsertApplication(application("app_2", "two")),
        Write::InsertFamily { family: family(1, "app_1"), application_version: 1 },
        Write::InsertFamily { family: family(2, "app_1"), application_version: 1 },
        Write::InsertFamily { family: family(3, "app_2"), application_version: 1 },
        Write::InsertKey { key: key("a", 10), last: None },
        Write::Revoke(Revocation::token("one", at(NOW))),
        Write::Revoke(Revocation::client("one", at(NOW), at(NOW))),
    ];
    trial.done("writes are done in their order", writes).await;
}

/// One write of each kind that is done on the furnished store.
fn one_of_each() -> Vec<Write> {
    let renamed =
        ApplicationRecord { name: "renamed".to_owned(), ..next(&application("app_1", "one")) };
    vec![
        Write::InsertApplication(application("app_3", "three")),
        Write::ReplaceApplication(renamed),
        Write::SecretUsed { application: "app_1".to_owned(), secret: "s1".to_owned(), at: at(9) },
        Write::InsertFamily { family: family(4, "app_1"), application_version: 2 },
        Write::ReplaceFamily(rotated(&family(1, "app_1"))),
        Write::EndFamilies { application: "app_1".to_owned(), secret: None, at: at(9) },
        Write::DeleteApplication { id: "app_2".to_owned(), version: 1 },
        Write::InsertKey { key: key("b", 20), last: Some("a".to_owned()) },
        Write::ReplaceKey(key("a", 30)),
        Write::Revoke(Revocation::token("two", at(NOW))),
        Write::Revoke(Revocation::client("one", at(NOW + 1), at(NOW + 1))),
    ]
}

fn refused() -> Write {
    Write::ReplaceFamily(family(99, "app_1"))
}

async fn a_conflict_undoes_every_kind_of_write(trial: Trial) {
    furnished(&trial).await;
    let line = "a conflict of the last write undoes those before it";
    for write in one_of_each() {
        if !matches!(write, Write::InsertFamily { .. }) {
            trial.conflict(line, [write, refused()]).await;
        }
    }
    let mut writes = one_of_each();
    writes.push(refused());
    trial.conflict(line, writes).await;
    for byte in [1, 2] {
        same(line, trial.get_family(id(byte)).await, family(byte, "app_1"));
    }
    same(line, trial.get_family(id(3)).await, family(3, "app_2"));
    same(line, answer(trial.family(id(4))).await, None);
    same(line, answer(trial.application_named("renamed")).await, None);
    same(line, answer(trial.application_named("one")).await, Some(application("app_1", "one")));
    trial
        .done("after a conflict the same is done without what stood in the way", one_of_each())
        .await;
    same("writes are done in their order", trial.get_family(id(1)).await.version, 3);
}

async fn a_conflict_anywhere_undoes_all(trial: Trial) {
    furnished(&trial).await;
    let line = "a conflict of the first or of a middle write undoes all of them";
    for place in 0..=one_of_each().len() {
        let mut writes = one_of_each();
        writes.insert(place, refused());
        trial.conflict(line, writes).await;
    }
}

async fn conditions_see_the_writes_before(trial: Trial) {
    let line = "each condition is looked at after the writes before it";
    let first = application("app_1", "one");
    let insert = |id, name| Write::InsertApplication(application(id, name));
    let delete = |version| Write::DeleteApplication { id: "app_1".to_owned(), version };
    trial.conflict(line, [insert("app_1", "one"), insert("app_2", "one")]).await;
    trial.conflict(line, [insert("app_1", "one"), insert("app_1", "two")]).await;
    trial.conflict(line, [Write::ReplaceApplication(next(&first)), insert("app_1", "one")]).await;
    let (second, opened) = (next(&first), family(1, "app_1"));
    let writes = [
        insert("app_1", "one"),
        delete(1),
        insert("app_1", "one"),
        Write::ReplaceApplication(second.clone()),
        Write::InsertFamily { family: opened.clone(), application_version: 2 },
        Write::ReplaceFamily(rotated(&opened)),
        Write::InsertKey { key: key("a", 10), last: None },
        Write::InsertKey { key: key("b", 20), last: Some("a".to_owned()) },
    ];
    trial.done(line, writes).await;
    same(line, trial.get("app_1").await, second.clone());
    same(line, trial.get_family(id(1)).await, rotated(&opened));
    let line = "names are exchanged by way of a third one";
    let named = |application: &ApplicationRecord, name: &str| ApplicationRecord {
        name: name.to_owned(),
        ..next(application)
    };
    let other = application("app_2", "two");
    let away = named(&second, "three");
    let writes = [
        Write::InsertApplication(other.clone()),
        Write::ReplaceApplication(away.clone()),
        Write::ReplaceApplication(named(&other, "one")),
        Write::ReplaceApplication(named(&away, "two")),
    ];
    trial.done(line, writes).await;
    for (name, id) in [("one", "app_2"), ("two", "app_1")] {
        let found = answer(trial.application_named(name)).await;
        same(line, found.map(|found| found.id), Some(id.to_owned()));
    }
}

async fn all_is_done_together(trial: Trial) {
    let line = "many writes are done together";
    let ids: Vec<_> = (0..200).map(|number| format!("app_{number:03}")).collect();
    let insert = |id: &String| Write::InsertApplication(application(id, id));
    trial.done(line, ids.iter().map(insert)).await;
    let listed = answer(trial.applications(None, usize::MAX)).await;
    same(line, listed.into_iter().map(|listed| listed.id).collect(), ids);
}

async fn a_future_that_is_dropped_has_done_all_or_none(trial: Trial) {
    let line = "a future that is dropped has done all of its writes or none";
    for round in 0..20 {
        let [a, b] = ["a", "b"].map(|half| format!("app_{round}_{half}"));
        let writes = [&a, &b].map(|id| Write::InsertApplication(application(id, id)));
        let mut applying = trial.apply(writes.into());
        // In every other round it was never begun.
        if round % 2 == 0 {
            let _ = applying.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
        drop(applying);
        trial.done(line, [Write::Revoke(Revocation::token("one", at(NOW)))]).await;
        let listed = answer(trial.applications(None, usize::MAX)).await;
        let [a, b] = [a, b].map(|id| listed.iter().any(|listed| listed.id == id));
        same(line, a, b);
    }
}
