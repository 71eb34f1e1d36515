//! Signing keys.

use super::{
    samples::{MOST, NOW, at, key, odd_texts},
    trial::{Open, Trial, answer, same},
};
use crate::{
    crypto::Algorithm,
    issue::{KeyRecord, Past, Write},
};

pub(super) async fn check(open: Open<'_>) {
    keeps_every_field(open().await).await;
    are_in_the_order_of_their_activation(open().await).await;
    follow_the_last_one(open().await).await;
    replaces_what_is_there(open().await).await;
    gives_nothing_back_that_was_taken_away(open().await).await;
    are_forgotten_long_after_they_were_removed(open().await).await;
}

fn insert(key: KeyRecord, last: Option<&str>) -> Write {
    Write::InsertKey { key, last: last.map(str::to_owned) }
}

/// Adds keys, each after the one that is last.
async fn add(trial: &Trial, keys: impl IntoIterator<Item = KeyRecord>) {
    for key in keys {
        let known = answer(trial.signing_keys()).await;
        let last = known.last().map(|last| last.id.as_str());
        trial.done("a key is added after the last one", [insert(key, last)]).await;
    }
}

async fn ids(trial: &Trial) -> Vec<String> {
    answer(trial.signing_keys()).await.into_iter().map(|key| key.id).collect()
}

async fn keeps_every_field(trial: Trial) {
    let line = "a store keeps every field of a signing key";
    same(line, answer(trial.signing_keys()).await, Vec::new());
    let plain = key("plain", NOW);
    let great = KeyRecord {
        created_at: at(MOST - 1),
        active_at: at(MOST - 2),
        removed_at: Some(at(MOST)),
        ..plain.clone()
    };
    let mut variants = vec![
        KeyRecord { public: None, ..plain.clone() },
        KeyRecord { sealed: None, ..plain.clone() },
        KeyRecord { public: Some(String::new()), sealed: Some(Vec::new()), ..plain.clone() },
        KeyRecord { sealed: Some((0..=255).collect()), ..plain.clone() },
        KeyRecord { created_at: at(0), removed_at: Some(at(0)), ..plain.clone() },
        great,
    ];
    variants.extend(odd_texts().into_iter().map(|text| KeyRecord {
        public: Some(text.clone()),
        reason: text,
        ..plain.clone()
    }));
    for algorithm in Algorithm::ALL.iter().copied() {
        variants.push(KeyRecord { algorithm, ..plain.clone() });
    }
    for (number, variant) in variants.into_iter().enumerate() {
        let stored = KeyRecord { id: format!("key {number}"), ..variant };
        add(&trial, [stored.clone()]).await;
        let keys = answer(trial.signing_keys()).await;
        let found = keys.into_iter().find(|key| key.id == stored.id);
        // The debug form leaves the keys out, so that it would not say what differs.
        assert!(found == Some(stored), "broken: {line}, of the variant {number}");
    }
}

async fn are_in_the_order_of_their_activation(trial: Trial) {
    let line = "signing keys are in the order of their activation, by the bytes of their ids in one second";
    let keys = [("b", 20), ("c", 10), ("a", 20), ("d", 0), ("\u{e9}", 20), ("B", 20), ("e", 15)];
    add(&trial, keys.map(|(id, active_at)| key(id, active_at))).await;
    let ordered = ["d", "c", "e", "B", "a", "b", "\u{e9}"];
    same(line, ids(&trial).await, ordered.map(str::to_owned).to_vec());
}

async fn follow_the_last_one(trial: Trial) {
    let line = "a key is added if the last one is this one, and none if there is none yet";
    trial.conflict(line, [insert(key("a", 10), Some("a"))]).await;
    trial.done(line, [insert(key("a", 10), None)]).await;
    for last in [None, Some("b"), Some("A"), Some("")] {
        trial.conflict(line, [insert(key("b", 20), last)]).await;
    }
    trial.done(line, [insert(key("b", 20), Some("a"))]).await;
    trial.conflict(line, [insert(key("c", 5), Some("a"))]).await;
    trial.done(line, [insert(key("c", 5), Some("b"))]).await;
    // The one that was added last is not the last one.
    trial.conflict(line, [insert(key("d", 30), Some("c"))]).await;
    trial.done(line, [insert(key("d", 20), Some("b"))]).await;
    trial.conflict(line, [insert(key("e", 30), Some("b"))]).await;

    let line = "a key is added if its id is free";
    for id in ["a", "d"] {
        trial.conflict(line, [insert(key(id, 40), Some("d"))]).await;
    }
}

async fn replaces_what_is_there(trial: Trial) {
    let line = "a key is replaced if there is one with this id";
    trial.conflict(line, [Write::ReplaceKey(key("a", 10))]).await;
    add(&trial, [key("a", 10), key("b", 20)]).await;
    let replaced = KeyRecord {
        algorithm: Algorithm::EdDsa,
        created_at: at(1),
        active_at: at(30),
        public: None,
        sealed: None,
        removed_at: Some(at(2)),
        reason: "compromised".to_owned(),
        ..key("a", 10)
    };
    trial.done(line, [Write::ReplaceKey(replaced.clone())]).await;
    let keys = answer(trial.signing_keys()).await;
    assert!(keys == [key("b", 20), replaced.clone()], "broken: every field of a key is replaced");
    trial.done(line, [Write::ReplaceKey(replaced)]).await;
}

async fn are_forgotten_long_after_they_were_removed(trial: Trial) {
    let removed = |id: &str, active_at, removed_at| KeyRecord { removed_at, ..key(id, active_at) };
    let keys = [
        removed("a", 1, Some(at(9))),
        removed("b", 2, Some(at(10))),
        removed("c", 3, None),
        removed("d", 4, Some(at(9))),
        removed("e", 5, Some(at(9))),
    ];
    add(&trial, keys).await;
    let past = Past { families_before: at(0), revocations_before: at(0), keys_before: at(10) };
    let line = "a purge forgets keys that were removed before the time, but not the last one";
    same(line, answer(trial.purge(past, 1)).await, 1);
    same(line, answer(trial.purge(past, 100)).await, 1);
    same(line, ids(&trial).await, ["b", "c", "e"].map(str::to_owned).to_vec());
}

async fn gives_nothing_back_that_was_taken_away(trial: Trial) {
    let line = "a key that was removed stays removed, and one without its private part gets none";
    let whole = key("one", NOW);
    add(&trial, [whole.clone()]).await;
    let retired = KeyRecord { sealed: None, ..whole.clone() };
    trial.done(line, [Write::ReplaceKey(retired.clone())]).await;
    trial.conflict(line, [Write::ReplaceKey(whole)]).await;
    let removed = KeyRecord { removed_at: Some(at(NOW)), ..retired.clone() };
    trial.done(line, [Write::ReplaceKey(removed.clone())]).await;
    trial.conflict(line, [Write::ReplaceKey(retired)]).await;
    trial.done(line, [Write::ReplaceKey(removed.clone())]).await;
    same(line, answer(trial.signing_keys()).await, vec![removed]);
}
