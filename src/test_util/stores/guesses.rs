//! The log of failed guesses, of a store that has one.

use super::{
    races::{RIVALS, together},
    trial::{Open, Trial, answer, same},
};
use crate::issue::{Guess, GuessLog, GuessPage, GuessRecord};

pub(super) async fn check(open: Open<'_>) {
    let trial = open().await;
    let Some(log) = trial.guess_log() else {
        return;
    };
    every_record_comes_once_and_in_order(log).await;
    whoever_is_ahead_begins_anew(log).await;
    whoever_waits_has_notice(log).await;
    none_is_missed_that_is_added_meanwhile(&open().await).await;
}

fn record(number: u32) -> GuessRecord {
    let (pair, source) = (u64::from(number), u64::MAX - u64::from(number));
    let guess = match number % 4 {
        0 => Guess::Succeeded { pair, source },
        1 => Guess::Failed { pair: Some(pair), source: Some(source), times: number },
        2 => Guess::Failed { pair: None, source: Some(source), times: number },
        _ => Guess::Failed { pair: None, source: None, times: number },
    };
    GuessRecord { server: source, guess }
}

async fn add(log: &dyn GuessLog, numbers: impl IntoIterator<Item = u32>) {
    answer(log.add(numbers.into_iter().map(record).collect())).await;
}

async fn page(log: &dyn GuessLog, place: u64, limit: usize) -> (Vec<GuessRecord>, GuessPage) {
    let page = answer(log.after(place, limit)).await;
    let is_new = page.entries.iter().all(|entry| entry.age.as_secs() < 600);
    same("a record is as old as it is", is_new, true);
    (page.entries.iter().map(|entry| entry.record.clone()).collect(), page)
}

async fn every_record_comes_once_and_in_order(log: &dyn GuessLog) {
    let (records, empty) = page(log, 0, 10).await;
    same("a log without records has an empty page", (records, empty.has_more), (Vec::new(), false));
    add(log, 0..3).await;
    add(log, [u32::MAX, 4]).await;
    let all: Vec<_> = [0, 1, 2, u32::MAX, 4].map(record).into();
    let line = "guesses are in the order in which they were added, at most `limit` on a page";
    for start in [0, empty.next] {
        let (records, first) = page(log, start, 2).await;
        same(line, (&records[..], first.has_more), (&all[..2], true));
        let (records, second) = page(log, first.next, 2).await;
        same(line, (&records[..], second.has_more), (&all[2..4], true));
        let (records, third) = page(log, second.next, 1).await;
        same(line, (&records[..], third.has_more), (&all[4..], false));
        let (records, last) = page(log, third.next, 10).await;
        same("no guess is told twice", (records, last.next), (Vec::new(), third.next));
    }
}

async fn whoever_is_ahead_begins_anew(log: &dyn GuessLog) {
    let (all, last) = page(log, 0, 100).await;
    for ahead in [last.next + 1, u64::MAX] {
        let (records, page) = page(log, ahead, 100).await;
        let line = "whoever is ahead of the log of guesses begins anew";
        same(line, (records, page.next), (all.clone(), last.next));
    }
}

async fn whoever_waits_has_notice(log: &dyn GuessLog) {
    let mut notices = log.notices();
    add(log, [1]).await;
    let limit = std::time::Duration::from_secs(60);
    let noticed = tokio::time::timeout(limit, notices.next()).await;
    same("guesses that are added give a notice", noticed.is_ok(), true);
}

async fn none_is_missed_that_is_added_meanwhile(trial: &Trial) {
    const OF_EACH: u32 = 20;
    let add_some = |rival: u32| {
        let trial = trial.clone();
        async move {
            let log = trial.guess_log().expect("the first store of the suite had a log");
            for number in rival * OF_EACH..(rival + 1) * OF_EACH {
                add(log, [number, number]).await;
            }
        }
    };
    let trial = trial.clone();
    let followed = tokio::spawn(async move {
        let log = trial.guess_log().expect("the first store of the suite had a log");
        let (mut found, mut place) = (Vec::new(), 0);
        while found.len() < 2 * usize::from(RIVALS) * OF_EACH as usize {
            let (records, page) = page(log, place, 7).await;
            found.extend(records);
            place = page.next;
            tokio::task::yield_now().await;
        }
        (found, page(log, place, 7).await.0)
    });
    let _: Vec<()> = together((0..u32::from(RIVALS)).map(add_some)).await;
    let limit = std::time::Duration::from_secs(60);
    let found = tokio::time::timeout(limit, followed).await;
    let (mut found, more) = found.ok().and_then(Result::ok).unwrap_or_default();
    let line = "of the guesses of many servers each comes once";
    same(line, more, Vec::new());
    found.sort_by_key(|record| u64::MAX - record.server);
    let all = (0..u32::from(RIVALS) * OF_EACH).flat_map(|number| [number; 2]);
    same(line, found, all.map(record).collect());
}
