//! Writes and reads at the same time.

use std::{future::Future, sync::Arc};

use tokio::sync::Barrier;

use super::{
    samples::{NOW, application, at, family, id, key, next, rotated, secret},
    trial::{Open, Trial, answer, same},
};
use crate::issue::{ApplicationRecord, Applied, FamilyRecord, Write};

/// How many try at the same time.
pub(super) const RIVALS: u8 = 64;
/// How often a race of two is run.
pub(super) const ROUNDS: u8 = 50;

pub(super) async fn check(open: Open<'_>) {
    one_refresh_of_a_version_is_done(open().await).await;
    one_application_of_a_name_is_added(open().await).await;
    one_key_follows_the_last_one(open().await).await;
    no_update_is_lost(open().await).await;
    a_disabled_application_has_no_live_family(open().await).await;
    reads_see_a_batch_whole(open().await).await;
}

/// Runs as many tasks as there are rivals, lets them begin together, and gives what each of them had
/// done, in the order of their numbers.
async fn race<F>(trial: &Trial, rival: impl Fn(Trial, u8) -> F) -> Vec<Applied>
where
    F: Future<Output = Applied> + Send + 'static,
{
    together((0..RIVALS).map(|number| rival(trial.clone(), number))).await
}

/// Runs these in tasks of their own that begin together; gives what they return, in their order.
pub(super) async fn together<F>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let futures: Vec<_> = futures.into_iter().collect();
    let start = Arc::new(Barrier::new(futures.len()));
    let begin = |future: F| {
        let start = Arc::clone(&start);
        tokio::spawn(async move {
            start.wait().await;
            future.await
        })
    };
    let tasks: Vec<_> = futures.into_iter().map(begin).collect();
    let mut outputs = Vec::new();
    for task in tasks {
        outputs.push(joined(task.await));
    }
    outputs
}

fn joined<T>(outcome: Result<T, tokio::task::JoinError>) -> T {
    outcome.unwrap_or_else(|error| panic!("a task of the suite failed: {error}"))
}

/// The number of the one that was done.
fn winner(line: &str, outcomes: &[Applied]) -> u8 {
    let done = |(number, outcome): (u8, &Applied)| (*outcome == Applied::Done).then_some(number);
    let winners: Vec<_> = (0..).zip(outcomes).filter_map(done).collect();
    same(line, winners.len(), 1);
    winners[0]
}

async fn one_refresh_of_a_version_is_done(trial: Trial) {
    let line = "of many who replace the same version of a family one succeeds";
    let opened = family(1, "app_1");
    trial.done(line, [Write::InsertApplication(application("app_1", "one"))]).await;
    let insert = Write::InsertFamily { family: opened.clone(), application_version: 1 };
    trial.done(line, [insert]).await;
    let outcomes = race(&trial, |trial, number| {
        let mine = FamilyRecord { grace_run: number.into(), ..rotated(&opened) };
        async move { trial.applied([Write::ReplaceFamily(mine)]).await }
    });
    let winner = winner(line, &outcomes.await);
    let stored = trial.get_family(id(1)).await;
    same("what is stored is what the one wrote that succeeded", stored.grace_run, winner.into());
    same(line, stored.version, 2);
}

async fn one_application_of_a_name_is_added(trial: Trial) {
    let line = "of many who add an application of the same name one succeeds";
    let outcomes = race(&trial, |trial, number| {
        let mine = application(&format!("app_{number:02}"), "one");
        async move { trial.applied([Write::InsertApplication(mine)]).await }
    });
    let winner = winner(line, &outcomes.await);
    let listed = answer(trial.applications(None, usize::MAX)).await;
    let ids: Vec<_> = listed.into_iter().map(|listed| listed.id).collect();
    same(line, ids, vec![format!("app_{winner:02}")]);
}

async fn one_key_follows_the_last_one(trial: Trial) {
    let line = "of many who add a key after the same last one one succeeds";
    for (last, active_at) in [(None, 10), (Some("first"), 20)] {
        if last.is_some() {
            let mut first = answer(trial.signing_keys()).await;
            first.truncate(1);
            same(line, first.len(), 1);
        }
        let known = answer(trial.signing_keys()).await.pop().map(|key| key.id);
        same(line, known.is_some(), last.is_some());
        let outcomes = race(&trial, |trial, number| {
            let key = key(&format!("key {active_at} {number}"), active_at);
            let last = known.clone();
            async move { trial.applied([Write::InsertKey { key, last }]).await }
        });
        let winner = winner(line, &outcomes.await);
        let latest = answer(trial.signing_keys()).await.pop().map(|key| key.id);
        same(line, latest, Some(format!("key {active_at} {winner}")));
    }
    same(line, answer(trial.signing_keys()).await.len(), 2);
}

async fn no_update_is_lost(trial: Trial) {
    let line = "whoever reads, changes and replaces until it is done loses no change of another";
    trial.done(line, [Write::InsertApplication(application("app_1", "one"))]).await;
    let outcomes = race(&trial, |trial, _| async move {
        loop {
            let read = trial.get("app_1").await;
            let applied = trial.applied([Write::ReplaceApplication(next(&read))]).await;
            if applied == Applied::Done {
                return applied;
            }
        }
    });
    same(line, outcomes.await.len(), usize::from(RIVALS));
    same(line, trial.get("app_1").await.version, 1 + u64::from(RIVALS));
}

async fn a_disabled_application_has_no_live_family(trial: Trial) {
    let line = "an application that is disabled with its families has no live family, whoever opens one meanwhile";
    for round in 0..ROUNDS {
        let app = format!("app_{round}");
        let enabled = application(&app, &app);
        trial.done(line, [Write::InsertApplication(enabled.clone())]).await;
        let disable = [
            Write::ReplaceApplication(ApplicationRecord { enabled: false, ..next(&enabled) }),
            Write::EndFamilies { application: app.clone(), secret: None, at: at(NOW) },
        ];
        let open = |byte| {
            let mut opened = family(0, &app);
            opened.id = crate::issue::FamilyId::from_bytes([
                round, byte, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            ]);
            vec![Write::InsertFamily { family: opened, application_version: 1 }]
        };
        let tasks = [open(1), disable.into(), open(2)].map(|writes| {
            let trial = trial.clone();
            async move { trial.applied(writes).await }
        });
        same(line, together(tasks).await[1], Applied::Done);
        same(line, answer(trial.live_families(&app, at(0), 0, 10)).await, Vec::new());
    }
}

async fn reads_see_a_batch_whole(trial: Trial) {
    let line = "a read sees the writes of one `apply` all or not at all";
    // Both applications and the secrets of each tell the same version.
    let versions = |version: u64| {
        ["app_1", "app_2"].map(|id| ApplicationRecord {
            version,
            secrets: (0..3).map(|n| secret(&format!("{n} of {version}"))).collect(),
            ..application(id, id)
        })
    };
    trial.done(line, versions(1).map(Write::InsertApplication)).await;
    let writer = {
        let trial = trial.clone();
        tokio::spawn(async move {
            for version in 2..=u64::from(ROUNDS) {
                trial.done(line, versions(version).map(Write::ReplaceApplication)).await;
            }
        })
    };
    let mut version = 1;
    while version < u64::from(ROUNDS) {
        let page = answer(trial.applications(None, 10)).await;
        let seen = page.first().map_or(0, |first| first.version);
        same(line, page, versions(seen).to_vec());
        assert!(version <= seen, "broken: what was read is there for every later read");
        version = seen;
        tokio::task::yield_now().await;
    }
    joined(writer.await);
}
