//! Families are opened, replaced and ended.

use super::{
    samples::{MOST, NOW, application, at, family, id, next, odd_texts, rotated, scopes},
    trial::{Open, Trial, answer, same},
};
use crate::{
    issue::{Door, FamilyId, FamilyRecord, Write},
    scope::ScopeSet,
};

pub(super) async fn check(open: Open<'_>) {
    all_are_listed_in_the_order_of_their_ids(open().await).await;
    keeps_every_field(open().await).await;
    opens_for_the_version_that_was_seen(open().await).await;
    replaces_the_version_before(open().await).await;
    ends_the_families_of_an_application(open().await).await;
    ends_the_families_of_a_secret(open().await).await;
    an_ended_family_is_not_refreshed_by_who_did_not_see_it(open().await).await;
}

fn insert(family: FamilyRecord, application_version: u64) -> Write {
    Write::InsertFamily { family, application_version }
}

fn end(application: &str, secret: Option<&str>, time: u64) -> Write {
    let secret = secret.map(str::to_owned);
    Write::EndFamilies { application: application.to_owned(), secret, at: at(time) }
}

async fn keeps_every_field(trial: Trial) {
    let line = "a store keeps every field of a family";
    trial.done(line, [Write::InsertApplication(application("app_1", "one"))]).await;
    same(line, answer(trial.family(id(0))).await, None);
    let plain = family(0, "app_1");
    let great = FamilyRecord {
        version: MOST,
        generation: MOST - 1,
        rotated_at: at(MOST - 2),
        grace_run: u32::MAX,
        opened_at: at(MOST - 3),
        expires_at: at(MOST - 4),
        revoked_at: Some(at(MOST - 5)),
        ..plain.clone()
    };
    let mut variants = vec![
        FamilyRecord { door: Door::OAuth, ..plain.clone() },
        FamilyRecord { grace_used: true, grace_run: 3, ..plain.clone() },
        FamilyRecord { scopes: ScopeSet::empty(), ..plain.clone() },
        FamilyRecord { scopes: scopes("c a b"), ..plain.clone() },
        FamilyRecord { version: 0, revoked_at: Some(at(0)), ..plain.clone() },
        great,
    ];
    variants.extend(odd_texts().into_iter().map(|text| FamilyRecord {
        secret: text.clone(),
        audience: text,
        ..plain.clone()
    }));
    for (variant, byte) in variants.into_iter().zip(1..) {
        let stored = FamilyRecord { id: id(byte), ..variant };
        trial.done(line, [insert(stored.clone(), 1)]).await;
        same(line, trial.get_family(stored.id).await, stored);
    }
    let line = "the id of a family is 16 bytes of any kind";
    for bytes in [[0; 16], [0xff; 16], *b"'\"\0\\\n\r\x80\xffabcdefgh"] {
        let stored = FamilyRecord { id: FamilyId::from_bytes(bytes), ..plain.clone() };
        trial.done(line, [insert(stored.clone(), 1)]).await;
        same(line, trial.get_family(stored.id).await, stored);
    }
}

async fn opens_for_the_version_that_was_seen(trial: Trial) {
    let line = "a family is added if its application has this version";
    trial.conflict(line, [insert(family(1, "app_1"), 1)]).await;
    let first = application("app_1", "one");
    trial.done(line, [Write::InsertApplication(first.clone())]).await;
    trial.conflict(line, [insert(family(1, "app_1"), 0)]).await;
    trial.conflict(line, [insert(family(1, "app_1"), 2)]).await;
    trial.conflict(line, [insert(family(1, "APP_1"), 1)]).await;
    trial.done(line, [insert(family(1, "app_1"), 1)]).await;
    trial.done(line, [Write::ReplaceApplication(next(&first))]).await;
    trial.conflict(line, [insert(family(2, "app_1"), 1)]).await;
    trial.done(line, [insert(family(2, "app_1"), 2)]).await;

    let line = "a family is added if its id is free";
    trial.conflict(line, [insert(family(2, "app_1"), 2)]).await;
    same(line, trial.get_family(id(1)).await, family(1, "app_1"));
}

async fn replaces_the_version_before(trial: Trial) {
    let line = "a family is replaced if the version there is one less";
    let first = family(1, "app_1");
    trial.conflict(line, [Write::ReplaceFamily(rotated(&first))]).await;
    trial.done(line, [Write::InsertApplication(application("app_1", "one"))]).await;
    trial.done(line, [insert(first.clone(), 1), insert(family(2, "app_1"), 1)]).await;
    for version in [0, 1, 3, MOST] {
        let other = FamilyRecord { version, ..first.clone() };
        trial.conflict(line, [Write::ReplaceFamily(other)]).await;
    }
    let second = FamilyRecord {
        secret: "s2".to_owned(),
        door: Door::OAuth,
        scopes: scopes("other"),
        audience: "https://other.test".to_owned(),
        version: 2,
        generation: 7,
        rotated_at: at(NOW + 1),
        grace_used: true,
        grace_run: 2,
        opened_at: at(NOW + 2),
        expires_at: at(NOW + 3),
        revoked_at: Some(at(NOW + 4)),
        ..first
    };
    trial.done(line, [Write::ReplaceFamily(second.clone())]).await;
    same("every field is replaced", trial.get_family(id(1)).await, second.clone());
    trial.conflict(line, [Write::ReplaceFamily(second)]).await;
    same("no other family is replaced", trial.get_family(id(2)).await, family(2, "app_1"));
}

/// Two applications; of the first one family that has ended, one past its end, and one of `s2`.
async fn with_families(trial: &Trial) {
    let line = "what follows can be set up";
    let [one, two] = [application("app_1", "one"), application("app_2", "two")];
    trial.done(line, [one, two].map(Write::InsertApplication)).await;
    let ended = FamilyRecord { revoked_at: Some(at(5)), version: 9, ..family(2, "app_1") };
    let past = FamilyRecord { expires_at: at(7), ..family(3, "app_1") };
    let other = FamilyRecord { secret: "s2".to_owned(), ..family(4, "app_1") };
    let families = [family(1, "app_1"), ended, past, other, family(5, "app_2")];
    trial.done(line, families.map(|family| insert(family, 1))).await;
}

/// When each family was revoked, and its version.
async fn ends(trial: &Trial) -> Vec<(Option<u64>, u64)> {
    let mut ends = Vec::new();
    for byte in 1..=5 {
        let family = trial.get_family(id(byte)).await;
        ends.push((family.revoked_at.map(|at| at.as_secs()), family.version));
    }
    ends
}

async fn ends_the_families_of_an_application(trial: Trial) {
    with_families(&trial).await;
    let line = "ending families revokes those of the application that are not revoked yet, and raises their versions by one";
    let after = vec![(Some(50), 2), (Some(5), 9), (Some(50), 2), (Some(50), 2), (None, 1)];
    trial.done(line, [end("app_1", None, 50)]).await;
    same(line, ends(&trial).await, after.clone());
    trial.done(line, [end("app_1", None, 60)]).await;
    same(line, ends(&trial).await, after.clone());
    trial.done("ending families has no condition", [end("app_3", None, 60)]).await;
    same(line, ends(&trial).await, after);
    let line = "nothing else of a family changes when it is ended";
    let ended = FamilyRecord { revoked_at: Some(at(50)), version: 2, ..family(1, "app_1") };
    same(line, trial.get_family(id(1)).await, ended);
}

async fn ends_the_families_of_a_secret(trial: Trial) {
    with_families(&trial).await;
    let line = "ending the families of a secret leaves those of other secrets";
    let before = vec![(None, 1), (Some(5), 9), (None, 1), (None, 1), (None, 1)];
    trial.done(line, [end("app_1", Some("s3"), 40), end("app_2", Some("s2"), 40)]).await;
    same(line, ends(&trial).await, before);
    trial.done(line, [end("app_1", Some("s2"), 50)]).await;
    let after = vec![(None, 1), (Some(5), 9), (None, 1), (Some(50), 2), (None, 1)];
    same(line, ends(&trial).await, after);
}

async fn an_ended_family_is_not_refreshed_by_who_did_not_see_it(trial: Trial) {
    with_families(&trial).await;
    let line = "a refresh that began before the family was ended is refused";
    let seen = trial.get_family(id(1)).await;
    trial.done(line, [end("app_1", None, 50)]).await;
    trial.conflict(line, [Write::ReplaceFamily(rotated(&seen))]).await;
    same(line, trial.get_family(id(1)).await.revoked_at, Some(at(50)));
}

async fn all_are_listed_in_the_order_of_their_ids(trial: Trial) {
    let line = "families are listed in the order of their ids, ended ones too";
    let ids = async |after: Option<FamilyId>, limit| -> Vec<FamilyId> {
        answer(trial.families(after, limit)).await.iter().map(|family| family.id).collect()
    };
    same(line, ids(None, 10).await, Vec::new());
    for (app, name) in [("app_1", "one"), ("app_2", "two")] {
        trial.done(line, [Write::InsertApplication(application(app, name))]).await;
    }
    for (byte, app) in [(200, "app_1"), (3, "app_2"), (0, "app_1"), (100, "app_1")] {
        let family = family(byte, app);
        trial.done(line, [Write::InsertFamily { family, application_version: 1 }]).await;
    }
    let end = Write::EndFamilies { application: "app_1".to_owned(), secret: None, at: at(1) };
    trial.done(line, [end]).await;
    same(line, ids(None, 10).await, [0, 3, 100, 200].map(id).to_vec());
    same(line, ids(None, 2).await, [0, 3].map(id).to_vec());
    same(line, ids(Some(id(3)), 10).await, [100, 200].map(id).to_vec());
    same(line, ids(Some(id(255)), 10).await, Vec::new());
}
