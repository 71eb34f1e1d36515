//! What becomes of a family when one of its refresh tokens is presented: a pure function of the
//! row, the generation and the time.

use std::time::Duration;

use super::family::FamilyRecord;
use crate::time::UnixTime;

/// How refresh tokens age.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// How long a family lives without being used.
    pub(super) idle: Duration,
    /// How long the token before the current one is still answered with the current one.
    pub(super) grace: Duration,
    /// In how many generations in a row that may happen.
    pub(super) grace_cap: u32,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// The token is the current one: put this record in the place of the old one, and answer with
    /// its generation.
    Rotate(FamilyRecord),
    /// The token is the one before, and its answer may have been lost: answer with the current one
    /// again. Put the record in its place first, if there is one.
    Repeat(Option<FamilyRecord>),
    /// The token was used before, so that two hold tokens of this family: end it.
    Reused,
    /// The family has ended.
    Ended(Ended),
}

/// Why a family is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Revoked,
    Expired,
    Idle,
}

impl Rules {
    pub(super) fn decide(&self, family: &FamilyRecord, generation: u64, now: UnixTime) -> Decision {
        if family.revoked_at.is_some() {
            return Decision::Ended(Ended::Revoked);
        }
        if now >= family.expires_at {
            return Decision::Ended(Ended::Expired);
        }
        if now >= family.rotated_at.saturating_add(self.idle) {
            return Decision::Ended(Ended::Idle);
        }
        if generation == family.generation {
            return match generation.checked_add(1) {
                Some(next) => Decision::Rotate(rotated(family, next, now)),
                None => Decision::Reused,
            };
        }
        if generation.checked_add(1) == Some(family.generation) {
            return self.repeat(family, now);
        }
        // Older than that; or from the future, as the store is older than the token: a restored
        // backup. Which of two tokens is the stolen one cannot be told then either.
        Decision::Reused
    }

    /// A lost answer, tabs side by side, or a thief. One use more in the same generation is none:
    /// clients that retry do so at once. But whoever needs it generation after generation is two.
    fn repeat(&self, family: &FamilyRecord, now: UnixTime) -> Decision {
        let is_late = now.since(family.rotated_at) >= self.grace;
        if is_late {
            return Decision::Reused;
        }
        if family.grace_used {
            return Decision::Repeat(None);
        }
        let run = family.grace_run.saturating_add(1);
        if run > self.grace_cap {
            return Decision::Reused;
        }
        Decision::Repeat(Some(FamilyRecord {
            version: family.version.saturating_add(1),
            grace_used: true,
            grace_run: run,
            ..family.clone()
        }))
    }

    /// How long the current token of a family may still be used.
    pub(super) fn remaining(&self, family: &FamilyRecord, now: UnixTime) -> Duration {
        let idle = family.rotated_at.saturating_add(self.idle);
        idle.min(family.expires_at).since(now)
    }
}

fn rotated(family: &FamilyRecord, generation: u64, now: UnixTime) -> FamilyRecord {
    FamilyRecord {
        version: family.version.saturating_add(1),
        generation,
        rotated_at: now,
        grace_used: false,
        grace_run: if family.grace_used { family.grace_run } else { 0 },
        ..family.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        issue::{Door, FamilyId},
        scope::ScopeSet,
    };

    const RULES: Rules =
        Rules { idle: Duration::from_secs(100), grace: Duration::from_secs(10), grace_cap: 3 };

    fn family() -> FamilyRecord {
        FamilyRecord {
            id: FamilyId::from_bytes([0; 16]),
            application: "app".into(),
            secret: "secret".into(),
            door: Door::Product,
            scopes: ScopeSet::empty(),
            audience: "api".into(),
            version: 0,
            generation: 0,
            rotated_at: UnixTime::from_secs(1000),
            grace_used: false,
            grace_run: 0,
            opened_at: UnixTime::from_secs(1000),
            expires_at: UnixTime::from_secs(2000),
            revoked_at: None,
        }
    }

    fn at(family: &FamilyRecord, generation: u64, seconds: u64) -> Decision {
        RULES.decide(family, generation, UnixTime::from_secs(seconds))
    }

    #[track_caller]
    fn rotate(family: &FamilyRecord, seconds: u64) -> FamilyRecord {
        match at(family, family.generation, seconds) {
            Decision::Rotate(next) => next,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_current_token_rotates_until_idle_or_absolute_end() {
        let next = rotate(&family(), 1099);
        assert_eq!((next.generation, next.version, next.rotated_at.as_secs()), (1, 1, 1099));
        assert_eq!(at(&family(), 0, 1100), Decision::Ended(Ended::Idle));
        let late = FamilyRecord { rotated_at: UnixTime::from_secs(1990), ..family() };
        assert_eq!(rotate(&late, 1999).expires_at.as_secs(), 2000);
        assert_eq!(at(&late, 0, 2000), Decision::Ended(Ended::Expired));
        let revoked = FamilyRecord { revoked_at: Some(UnixTime::from_secs(1)), ..family() };
        assert_eq!(at(&revoked, 0, 1000), Decision::Ended(Ended::Revoked));
    }

    #[test]
    fn the_token_before_is_repeated_inside_the_grace_and_counts_once() {
        let next = rotate(&family(), 1050);
        let Decision::Repeat(Some(once)) = at(&next, 0, 1059) else {
            panic!("the first repeat is noted");
        };
        assert_eq!((once.generation, once.grace_run, once.grace_used), (1, 1, true));
        assert_eq!(at(&once, 0, 1059), Decision::Repeat(None));
        assert_eq!(at(&next, 0, 1060), Decision::Reused);
        assert_eq!(at(&once, 0, 1060), Decision::Reused);
        // A clock that steps back does not accuse anybody.
        assert_eq!(at(&once, 0, 900), Decision::Repeat(None));
    }

    #[test]
    fn older_tokens_and_tokens_from_the_future_are_reuse() {
        let third = rotate(&rotate(&family(), 1001), 1002);
        assert_eq!(at(&third, 0, 1002), Decision::Reused);
        assert_eq!(at(&third, 3, 1002), Decision::Reused);
        assert_eq!(at(&third, u64::MAX, 1002), Decision::Reused);
    }

    #[test]
    fn grace_in_one_generation_after_the_other_is_reuse_when_the_cap_is_passed() {
        let mut family = rotate(&family(), 1001);
        for run in 1..=3 {
            let Decision::Repeat(Some(used)) = at(&family, family.generation - 1, 1001) else {
                panic!("generation {run} is under the cap");
            };
            assert_eq!(used.grace_run, run);
            family = rotate(&used, 1001);
        }
        assert_eq!(at(&family, family.generation - 1, 1001), Decision::Reused);
        // A generation without it starts anew.
        let family = rotate(&family, 1001);
        assert!(
            matches!(at(&family, family.generation - 1, 1001), Decision::Repeat(Some(used)) if used.grace_run == 1)
        );
    }
}
