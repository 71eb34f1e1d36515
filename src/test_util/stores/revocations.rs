//! What is revoked, and what is forgotten.

use super::{
    samples::{MOST, NOW, application, at, family, id, odd_texts},
    trial::{Open, Trial, answer, same},
};
use crate::{
    issue::{FamilyRecord, Past, Write},
    revocation::Revocation,
};

pub(super) async fn check(open: Open<'_>) {
    keeps_every_field(open().await).await;
    remembers_until_the_end(open().await).await;
    the_later_of_two_stays(open().await).await;
    forgets_what_is_over(open().await).await;
    forgets_so_many_at_once(open().await).await;
}

fn past(families: u64, revocations: u64) -> Past {
    Past {
        families_before: at(families),
        revocations_before: at(revocations),
        keys_before: at(MOST),
    }
}

/// Revokes, and expects to find the same, in the order of kinds and ids.
async fn finds(trial: &Trial, line: &str, revoked: &[Revocation], expected: &[Revocation]) {
    trial.done(line, revoked.iter().cloned().map(Write::Revoke)).await;
    same(line, &*trial.revoked(at(0)).await, expected);
}

async fn keeps_every_field(trial: Trial) {
    let line = "a store keeps every field of a revocation";
    same(line, trial.revoked(at(0)).await, Vec::new());
    // One id of several kinds is as many things.
    let revoked = [
        Revocation::client("one", at(5), at(NOW)),
        Revocation::client("two", at(MOST), at(MOST)),
        Revocation::family("one", at(NOW + 1)),
        Revocation::issuer(at(6), at(NOW + 2)),
        Revocation::token("", at(NOW + 3)),
        Revocation::token("ONE", at(NOW + 3)),
        Revocation::token("one", at(NOW + 3)),
        Revocation::token("one ", at(NOW + 3)),
    ];
    finds(&trial, line, &revoked, &revoked).await;
    let line = "the ids of revocations are kept byte for byte";
    for text in odd_texts() {
        let odd = Revocation::token(text, at(NOW));
        trial.done(line, [Write::Revoke(odd.clone())]).await;
        assert!(trial.revoked(at(0)).await.contains(&odd), "broken: {line}: {odd:?}");
    }
}

async fn remembers_until_the_end(trial: Trial) {
    let line = "a revocation is remembered if its end is not before now";
    let revoked = [9, 10, 11].map(|until| Revocation::token(until.to_string(), at(until)));
    trial.done(line, revoked.iter().cloned().map(Write::Revoke)).await;
    let ids = async |now| -> Vec<String> {
        trial.revoked(at(now)).await.iter().map(|entry| entry.id().to_owned()).collect()
    };
    same(line, ids(10).await, vec!["10".to_owned(), "11".to_owned()]);
    same(line, ids(11).await, vec!["11".to_owned()]);
    same(line, ids(12).await, Vec::new());
}

async fn the_later_of_two_stays(trial: Trial) {
    let line = "of two revocations of one thing the later cut-off and the later end stay";
    let client = |cut_off, until| Revocation::client("one", at(cut_off), at(until));
    let steps = [
        ((10, 100), (10, 100)),
        ((9, 101), (10, 101)),
        ((11, 99), (11, 101)),
        ((11, 101), (11, 101)),
        ((0, 0), (11, 101)),
        ((20, 200), (20, 200)),
    ];
    for ((cut_off, until), (expected, end)) in steps {
        finds(&trial, line, &[client(cut_off, until)], &[client(expected, end)]).await;
    }
    let tokens = [50, 70, 60].map(|until| Revocation::token("one", at(until)));
    finds(&trial, line, &tokens, &[client(20, 200), Revocation::token("one", at(70))]).await;
    let other = Revocation::client("two", at(1), at(2));
    let expected = [client(20, 200), other.clone(), Revocation::token("one", at(70))];
    finds(&trial, line, &[other], &expected).await;
}

async fn with_families(trial: &Trial, ends: impl IntoIterator<Item = (u8, u64)>) {
    let line = "what follows can be set up";
    trial.done(line, [Write::InsertApplication(application("app_1", "one"))]).await;
    for (byte, end) in ends {
        let family = FamilyRecord { expires_at: at(end), ..family(byte, "app_1") };
        trial.done(line, [Write::InsertFamily { family, application_version: 1 }]).await;
    }
}

async fn forgets_what_is_over(trial: Trial) {
    let line = "a purge forgets families whose end is before the one time and revocations whose end is before the other";
    with_families(&trial, [(1, 9), (2, 10), (3, 11)]).await;
    let end = Write::EndFamilies { application: "app_1".to_owned(), secret: None, at: at(1) };
    trial.done("families can be ended", [end]).await;
    let revoked = [19, 20, 21].map(|until| Revocation::token(until.to_string(), at(until)));
    trial.done(line, revoked.iter().cloned().map(Write::Revoke)).await;

    same(line, answer(trial.purge(past(0, 0), 100)).await, 0);
    same("a purge returns how many it forgot", answer(trial.purge(past(10, 20), 100)).await, 2);
    same(line, answer(trial.family(id(1))).await, None);
    for byte in [2, 3] {
        same("a family that is not over stays", trial.get_family(id(byte)).await.id, id(byte));
    }
    same(line, trial.revoked(at(0)).await, revoked[1..].to_vec());
    same(line, answer(trial.purge(past(10, 20), 100)).await, 0);
    same(line, answer(trial.purge(past(MOST, MOST), 100)).await, 4);
    same("a purge leaves applications alone", trial.get("app_1").await.version, 1);
}

async fn forgets_so_many_at_once(trial: Trial) {
    let line = "a purge forgets at most `limit` families and as many revocations";
    with_families(&trial, (1..=5).map(|byte| (byte, 10))).await;
    let revoked = (0..3).map(|number| Revocation::token(number.to_string(), at(10)));
    trial.done(line, revoked.map(Write::Revoke)).await;
    same(line, answer(trial.purge(past(NOW, NOW), 0)).await, 0);
    for expected in [4, 3, 1, 0] {
        same(line, answer(trial.purge(past(NOW, NOW), 2)).await, expected);
    }
}
