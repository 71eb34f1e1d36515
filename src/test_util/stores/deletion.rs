//! An application is removed, with what is its own.

use super::{
    samples::{MOST, NOW, application, at, family, id, next},
    trial::{Open, Trial, answer, same},
};
use crate::issue::Write;

pub(super) async fn check(open: Open<'_>) {
    removes_the_version_that_was_seen(open().await).await;
    takes_the_families_along(open().await).await;
}

fn delete(id: &str, version: u64) -> Write {
    Write::DeleteApplication { id: id.to_owned(), version }
}

async fn removes_the_version_that_was_seen(trial: Trial) {
    let line = "an application is removed if it has this version";
    let first = application("app_1", "one");
    trial.conflict(line, [delete("app_1", 1)]).await;
    trial.done(line, [Write::InsertApplication(first.clone())]).await;
    trial.done(line, [Write::ReplaceApplication(next(&first))]).await;
    for version in [0, 1, 3, MOST] {
        trial.conflict(line, [delete("app_1", version)]).await;
    }
    trial.done(line, [delete("app_1", 2)]).await;

    let line = "of an application that was removed nothing is found";
    same(line, answer(trial.application("app_1")).await, None);
    same(line, answer(trial.application_named("one")).await, None);
    same(line, answer(trial.applications(None, 10)).await, Vec::new());
    trial.conflict(line, [delete("app_1", 2)]).await;
}

async fn takes_the_families_along(trial: Trial) {
    let line = "an application is removed with its families";
    let [one, two] = [application("app_1", "one"), application("app_2", "two")];
    trial.done(line, [one.clone(), two].map(Write::InsertApplication)).await;
    let mut ended = family(2, "app_1");
    ended.revoked_at = Some(at(NOW));
    for family in [family(1, "app_1"), ended, family(3, "app_2")] {
        trial.done(line, [Write::InsertFamily { family, application_version: 1 }]).await;
    }
    trial.done(line, [delete("app_1", 1)]).await;
    same(line, answer(trial.family(id(1))).await, None);
    same(line, answer(trial.family(id(2))).await, None);
    let line = "the families of other applications stay";
    same(line, answer(trial.family(id(3))).await, Some(family(3, "app_2")));

    let line = "an application of the same id is a new one, without families";
    trial.done(line, [Write::InsertApplication(one)]).await;
    same(line, answer(trial.live_families("app_1", at(NOW), 0, 10)).await, Vec::new());
}
