//! Revocations page by page, for whoever keeps up with them.

use std::collections::BTreeSet;

use super::{
    races::{RIVALS, together},
    samples::{MOST, NOW, at},
    trial::{Open, Trial, answer, same},
};
use crate::{
    issue::{Past, Write},
    revocation::{Revocation, RevocationCursor, RevocationPage},
};

pub(super) async fn check(open: Open<'_>) {
    go_on_where_the_last_one_ended(open().await).await;
    give_again_what_is_revoked_again(open().await).await;
    begin_anew_for_another_cursor(open().await, open().await).await;
    go_on_after_a_purge(open().await).await;
    miss_nothing_that_is_written_meanwhile(open().await).await;
}

async fn revoke(trial: &Trial, ids: impl IntoIterator<Item = u64>) {
    let line = "tokens can be revoked";
    for id in ids {
        let revoked = Revocation::token(id.to_string(), at(NOW + id));
        trial.done(line, [Write::Revoke(revoked)]).await;
    }
}

async fn page(trial: &Trial, after: Option<&RevocationCursor>, limit: usize) -> RevocationPage {
    answer(trial.revocations_after(after, limit)).await
}

fn ids(page: &RevocationPage) -> Vec<String> {
    page.entries.iter().map(|entry| entry.revocation.id().to_owned()).collect()
}

async fn go_on_where_the_last_one_ended(trial: Trial) {
    let empty = page(&trial, None, 2).await;
    same("a store without revocations has an empty page", ids(&empty), Vec::new());
    same("after an empty page there is no more", empty.has_more, false);
    let again = page(&trial, Some(&empty.next), 2).await;
    same("a page after an empty one is empty", ids(&again), Vec::new());

    revoke(&trial, 1..=5).await;
    let line = "pages are in the order of the writes, of at most `limit` revocations";
    for start in [None, Some(&empty.next)] {
        let first = page(&trial, start, 2).await;
        same(line, (ids(&first), first.has_more), (vec!["1".to_owned(), "2".to_owned()], true));
        let second = page(&trial, Some(&first.next), 2).await;
        same(line, (ids(&second), second.has_more), (vec!["3".to_owned(), "4".to_owned()], true));
        let third = page(&trial, Some(&second.next), 2).await;
        same(line, (ids(&third), third.has_more), (vec!["5".to_owned()], false));
        let last = page(&trial, Some(&third.next), 2).await;
        // Some may be given twice.
        let is_known = |id: &String| ["1", "2", "3", "4", "5"].contains(&id.as_str());
        let line = "after the last page comes nothing new";
        same(line, ids(&last).iter().all(is_known), true);
        let text = last.next.as_str();
        same("a cursor is what it says", RevocationCursor::new(text).as_ref(), Some(&last.next));
    }
    let all = page(&trial, None, 5).await;
    same("a page that is just full is the last", (all.entries.len(), all.has_more), (5, false));
    revoke(&trial, [6]).await;
    let next = page(&trial, Some(&all.next), 10).await;
    same("what is new comes next", ids(&next).last().cloned(), Some("6".to_owned()));
}

async fn give_again_what_is_revoked_again(trial: Trial) {
    revoke(&trial, 1..=3).await;
    let known = page(&trial, None, 10).await.next;
    let later = Revocation::token("1", at(MOST));
    trial.done("a revocation can be extended", [Write::Revoke(later.clone())]).await;
    let next = page(&trial, Some(&known), 10).await;
    let found: Vec<_> = next.entries.into_iter().map(|entry| entry.revocation).collect();
    same("what is revoked once more comes again", found.last().cloned(), Some(later));
    let all = page(&trial, None, 10).await;
    same("it comes once from the start", all.entries.len(), 3);
}

async fn begin_anew_for_another_cursor(trial: Trial, other: Trial) {
    revoke(&trial, 1..=3).await;
    revoke(&other, 1..=9).await;
    let known = page(&other, None, 10).await.next;
    let cursors = ["x", "0-0-0-0", "-", "99999999999999999999"];
    for cursor in cursors.iter().filter_map(|text| RevocationCursor::new(text)) {
        let line = "a cursor that is none begins anew";
        same(line, page(&trial, Some(&cursor), 10).await.entries.len(), 3);
    }
    let line = "a cursor of another store begins anew";
    same(line, page(&trial, Some(&known), 10).await.entries.len(), 3);
}

async fn go_on_after_a_purge(trial: Trial) {
    revoke(&trial, 1..=6).await;
    let second = page(&trial, None, 2).await.next;
    let past = Past { families_before: at(0), revocations_before: at(NOW + 5), keys_before: at(0) };
    same("what is past is forgotten", answer(trial.purge(past, 100)).await, 4);
    let rest = page(&trial, Some(&second), 10).await;
    same("what is left comes next", ids(&rest), vec!["5".to_owned(), "6".to_owned()]);
    let past = Past { revocations_before: at(MOST), ..past };
    same("what is past is forgotten", answer(trial.purge(past, 100)).await, 2);
    same("nothing is left", ids(&page(&trial, Some(&rest.next), 10).await), Vec::new());
    revoke(&trial, [7]).await;
    let line = "a place is given once, even if its revocation was purged";
    same(line, ids(&page(&trial, Some(&rest.next), 10).await), vec!["7".to_owned()]);
}

/// Writers that end in another order than they began must not be passed over.
async fn miss_nothing_that_is_written_meanwhile(trial: Trial) {
    const OF_EACH: u64 = 20;
    let rivals = u64::from(RIVALS);
    let write = |rival: u64| {
        let trial = trial.clone();
        async move {
            let first = rival * OF_EACH;
            // Several in one step, so that some are long under way.
            for id in (first..first + OF_EACH).step_by(4) {
                let ids = id..id + 4;
                let writes =
                    ids.map(|id| Write::Revoke(Revocation::token(id.to_string(), at(NOW))));
                trial.done("tokens can be revoked", writes).await;
            }
            BTreeSet::new()
        }
    };
    let follow = |trial: Trial| async move {
        let (mut found, mut cursor) = (BTreeSet::new(), None);
        while found.len() < usize::from(RIVALS) * OF_EACH as usize {
            let page = page(&trial, cursor.as_ref(), 100).await;
            found.extend(ids(&page));
            cursor = Some(page.next);
            tokio::task::yield_now().await;
        }
        found
    };
    let followed = tokio::spawn(follow(trial.clone()));
    let written: Vec<BTreeSet<String>> = together((0..rivals).map(write)).await;
    drop(written);
    // The follower goes on until it has seen all, or for ever; so there is a limit.
    let limit = std::time::Duration::from_secs(60);
    let found = tokio::time::timeout(limit, followed).await;
    let found = found.map(|found| found.map(|found| found.len()).unwrap_or_default());
    let all = usize::from(RIVALS) * OF_EACH as usize;
    same("whoever goes on from page to page misses nothing", found.ok(), Some(all));
}
