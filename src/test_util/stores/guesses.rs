//! The log of failed guesses, of a store that has one.

use super::{
    races::{RIVALS, together},
    trial::{Open, Trial, answer, same},
};
use crate::issue::{GuessLog, GuessPage, GuessRecord};

pub(super) async fn check(open: Open<'_>) {
    let trial = open().await;
    let Some(log) = trial.guess_log() else {
        return;
    };
    every_record_comes_once_and_in_order(log).await;
    whoever_is_ahead_goes_on_with_what_is_new(log).await;
    none_is_missed_that_is_added_meanwhile(&open().await).await;
}

fn record(number: u32) -> GuessRecord {
    GuessRecord {
        server: u64::MAX - u64::from(number),
        pair: number.is_multiple_of(2).then_some(u64::from(number)),
        source: (!number.is_multiple_of(3)).then_some(u64::MAX),
        failures: number,
    }
}

async fn add(log: &dyn GuessLog, numbers: impl IntoIterator<Item = u32>) {
    answer(log.add(numbers.into_iter().map(record).collect())).await;
}

async fn page(log: &dyn GuessLog, place: u64, limit: usize) -> (Vec<GuessRecord>, GuessPage) {
    let page = answer(log.after(place, limit)).await;
    let is_new = page.records.iter().all(|(_, age)| age.as_secs() < 600);
    same("a record is as old as it is", is_new, true);
    (page.records.iter().map(|(record, _)| record.clone()).collect(), page)
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

async fn whoever_is_ahead_goes_on_with_what_is_new(log: &dyn GuessLog) {
    let (_, ahead) = page(log, u64::MAX, 10).await;
    add(log, [7]).await;
    let (records, _) = page(log, ahead.next, 10).await;
    same("whoever is ahead of a log goes on with what is new", records, vec![record(7)]);
}

async fn none_is_missed_that_is_added_meanwhile(trial: &Trial) {
    const OF_EACH: u32 = 20;
    let add_some = |rival: u32| {
        let trial = trial.clone();
        async move {
            let log = trial.guess_log().expect("a store has a log or none");
            for number in rival * OF_EACH..(rival + 1) * OF_EACH {
                add(log, [number, 0]).await;
            }
        }
    };
    let trial = trial.clone();
    let followed = tokio::spawn(async move {
        let log = trial.guess_log().expect("a store has a log or none");
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
    found.retain(|found| found.failures != 0);
    found.sort_by_key(|record| record.failures);
    let all = 1..u32::from(RIVALS) * OF_EACH;
    same(line, found, all.map(record).collect());
}
