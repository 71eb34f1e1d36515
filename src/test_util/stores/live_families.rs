//! The families of an application that can be refreshed.

use super::{
    samples::{MOST, NOW, application, at, family, id},
    trial::{Open, Trial, answer, same},
};
use crate::issue::{FamilyRecord, Write};

pub(super) async fn check(open: Open<'_>) {
    are_neither_revoked_nor_past_their_end(open().await).await;
    are_in_the_order_of_their_opening(open().await).await;
}

async fn with(trial: &Trial, families: impl IntoIterator<Item = FamilyRecord>) {
    let line = "what follows can be set up";
    let [one, two] = [application("app_1", "one"), application("app_2", "two")];
    trial.done(line, [one, two].map(Write::InsertApplication)).await;
    let insert = |family| Write::InsertFamily { family, application_version: 1 };
    trial.done(line, families.into_iter().map(insert)).await;
}

/// The first byte of the id of each.
async fn live(trial: &Trial, now: u64, skip: usize, limit: usize) -> Vec<u8> {
    let families = answer(trial.live_families("app_1", at(now), skip, limit)).await;
    families.iter().map(|family| family.id.as_bytes()[0]).collect()
}

async fn are_neither_revoked_nor_past_their_end(trial: Trial) {
    let of = |byte| family(byte, "app_1");
    let ends_at = |byte, end| FamilyRecord { expires_at: at(end), ..of(byte) };
    let revoked = FamilyRecord { revoked_at: Some(at(0)), ..of(1) };
    let families = [
        revoked,
        ends_at(2, NOW - 1),
        ends_at(3, NOW),
        ends_at(4, NOW + 1),
        ends_at(5, MOST),
        family(6, "app_2"),
    ];
    with(&trial, families).await;
    let line = "a live family is not revoked, and its absolute end is later than now";
    same(line, live(&trial, NOW, 0, 10).await, vec![4, 5]);
    same(line, live(&trial, NOW + 1, 0, 10).await, vec![5]);
    same(line, live(&trial, 0, 0, 10).await, vec![2, 3, 4, 5]);
    same(line, live(&trial, MOST, 0, 10).await, Vec::new());
    let found = answer(trial.live_families("app_1", at(NOW + 1), 0, 1)).await;
    same(line, found, vec![ends_at(5, MOST)]);
    same(line, answer(trial.live_families("app_3", at(NOW), 0, 10)).await, Vec::new());
    let line = "a family that was revoked or is past its end is still found by its id";
    for byte in [1, 2] {
        same(line, trial.get_family(id(byte)).await.id, id(byte));
    }
}

async fn are_in_the_order_of_their_opening(trial: Trial) {
    let opened = |byte, time| FamilyRecord { opened_at: at(time), ..family(byte, "app_1") };
    // The first half of a byte is before the second one: ids are bytes, not signed numbers.
    let times = [(0x80, 30), (3, 10), (0x7f, 30), (2, 20), (1, 10), (0xff, 30)];
    with(&trial, times.map(|(byte, time)| opened(byte, time))).await;
    let ordered = [0x7f, 0x80, 0xff, 2, 1, 3];
    let line = "live families are listed from the one that was opened last, by id in one second";
    same(line, live(&trial, NOW, 0, usize::MAX).await, ordered.to_vec());
    let line = "the first `skip` live families are left out, and at most `limit` are listed";
    for (skip, limit) in [(0, 0), (0, 1), (0, 6), (1, 2), (3, 9), (5, 1), (6, 1), (7, 9)] {
        let expected: Vec<u8> = ordered.iter().skip(skip).take(limit).copied().collect();
        same(line, live(&trial, NOW, skip, limit).await, expected);
    }
    same(line, live(&trial, NOW, usize::MAX, usize::MAX).await, Vec::new());
    same(line, live(&trial, NOW, 4, usize::MAX).await, vec![1, 3]);
}
