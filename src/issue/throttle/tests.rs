mod any_sequence;

use std::{net::Ipv6Addr, panic, thread};

use super::*;
use crate::{issue::Source, time::UnixTime};

const START: u64 = 1_700_000_000;
const DAY: u64 = 24 * 60 * 60;

/// A limiter and the time.
struct Guarded {
    limiter: Limiter,
    now: u64,
}

impl Guarded {
    fn new() -> Self {
        Self::with(&Throttle::default())
    }

    fn with(throttle: &Throttle) -> Self {
        throttle.check().unwrap();
        Self { limiter: Limiter::new(throttle), now: START }
    }

    fn time(&self) -> UnixTime {
        UnixTime::from_secs(self.now)
    }

    fn admit(&self, who: &str, source: Source) -> Result<Permit<'_>, Throttled> {
        self.limiter.admit(who, source, self.time())
    }

    fn succeed(&self, who: &str, source: Source) {
        self.admit(who, source).unwrap().begin().succeeded(self.time());
    }

    fn fail(&self, who: &str, source: Source) {
        self.admit(who, source).unwrap().begin().failed(self.time());
    }

    /// Fails, waiting as long as is asked for.
    fn fail_in_time(&mut self, who: &str, source: Source) {
        self.now += self.wait(who, source);
        self.fail(who, source);
    }

    /// Guesses once from each of so many places.
    fn fail_from_everywhere(&self, places: u16) {
        (0..places).for_each(|place| self.fail("app", host(place)));
    }

    /// How many seconds to wait, or 0. Asking counts as nothing.
    fn wait(&self, who: &str, source: Source) -> u64 {
        match self.admit(who, source) {
            Ok(_permit) => 0,
            Err(throttled) => throttled.retry_after.as_secs(),
        }
    }

    fn by(&self, who: &str, source: Source) -> &'static str {
        self.admit(who, source).err().map_or("nothing", |throttled| throttled.by.code())
    }
}

/// One of 65 536 hosts, each in a network of its own.
fn host(number: u16) -> Source {
    Source::Address(Ipv6Addr::new(0x2001, 0xdb8, 0, number, 1, 2, 3, 4).into())
}

/// X-BF-02
#[test]
fn from_the_fifth_failure_on_the_wait_doubles_up_to_fifteen_minutes() {
    let mut guarded = Guarded::new();
    let mut waits = Vec::new();
    for _ in 0..17 {
        guarded.fail_in_time("app", host(1));
        waits.push(guarded.wait("app", host(1)));
    }
    let expected = [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900];
    assert_eq!(waits, expected);
    assert_eq!(guarded.by("app", host(1)), "pair");
    guarded.now += 899;
    assert_eq!(guarded.wait("app", host(1)), 1);
    guarded.now += 1;
    assert_eq!(guarded.wait("app", host(1)), 0);
}

/// X-BF-02
#[test]
fn a_success_resets_the_count() {
    let mut guarded = Guarded::new();
    for _ in 0..6 {
        guarded.fail_in_time("app", host(1));
    }
    guarded.now += 2;
    guarded.succeed("app", host(1));
    for _ in 0..4 {
        guarded.fail("app", host(1));
        assert_eq!(guarded.wait("app", host(1)), 0);
    }
    guarded.fail("app", host(1));
    assert_eq!(guarded.wait("app", host(1)), 1);
}

/// X-BF-01
#[test]
fn another_application_of_the_same_source_is_not_affected() {
    let guarded = Guarded::new();
    (0..5).for_each(|_| guarded.fail("app", host(1)));
    assert_eq!(guarded.wait("other", host(1)), 0);
}

/// X-BF-03
#[test]
fn a_thousand_failures_from_elsewhere_do_not_keep_an_application_out() {
    let mut guarded = Guarded::new();
    for _ in 0..1000 {
        guarded.fail_in_time("app", host(1));
    }
    assert_eq!(guarded.wait("app", host(1)), 900);
    guarded.succeed("app", host(2));
}

/// X-BF-01
#[test]
fn a_source_has_thirty_failures_and_one_more_every_two_seconds() {
    let mut guarded = Guarded::new();
    (0..30).for_each(|name| guarded.fail(&name.to_string(), host(1)));
    assert_eq!(guarded.by("new", host(1)), "source");
    assert_eq!(guarded.wait("new", host(1)), 2);
    assert_eq!(guarded.wait("new", host(2)), 0);
    guarded.now += 2;
    guarded.fail("new", host(1));
    assert_eq!(guarded.wait("newer", host(1)), 2);
}

/// X-BF-08
#[test]
fn a_refusal_does_not_depend_on_the_name() {
    let guarded = Guarded::new();
    let refusals = ["app", "", "no such application", &"x".repeat(100_000)].map(|who| {
        (0..5).for_each(|_| guarded.fail(who, host(1)));
        guarded.admit(who, host(1)).map(drop).unwrap_err()
    });
    let expected = Throttled { retry_after: Duration::from_secs(1), by: ThrottledBy::Pair };
    assert_eq!(refusals, [expected; 4]);
}

#[test]
fn successes_cost_a_source_nothing() {
    let guarded = Guarded::new();
    (0..5000).for_each(|name| guarded.succeed(&name.to_string(), host(1)));
    assert_eq!(guarded.wait("new", host(1)), 0);
}

#[test]
fn the_addresses_of_an_ipv6_64_are_one_source() {
    let guarded = Guarded::new();
    let address = |last| Source::Address(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).into());
    (0..5).for_each(|last| guarded.fail("app", address(last)));
    assert_eq!(guarded.by("app", address(99)), "pair");
}

/// X-BF-01
#[test]
fn there_are_a_thousand_failures_from_everywhere_and_a_hundred_more_each_second() {
    let mut guarded = Guarded::new();
    guarded.fail_from_everywhere(1000);
    assert_eq!(guarded.by("app", host(1000)), "global");
    assert_eq!(guarded.wait("app", host(1000)), 1);
    guarded.now += 1;
    (1000..1100).for_each(|place| guarded.fail("app", host(place)));
    assert_eq!(guarded.by("app", host(1100)), "global");
}

/// X-BF-03
#[test]
fn a_distributed_attack_leaves_a_known_good_pair_through() {
    let mut guarded = Guarded::new();
    let good = host(u16::MAX);
    guarded.succeed("app", good);
    guarded.now += DAY - 1;
    guarded.fail_from_everywhere(1000);
    assert_eq!(guarded.by("app", host(1)), "global");
    assert_eq!(guarded.by("other", good), "global");
    assert_eq!(guarded.wait("app", good), 0);
    guarded.now += 1;
    (0..100).for_each(|place| guarded.fail("app", host(place)));
    assert_eq!(guarded.by("app", good), "global", "the success is a day old");
}

/// X-BF-03
#[test]
fn guesses_do_not_push_a_known_good_pair_out_of_memory() {
    let mut guarded = Guarded::with(&Throttle::default().with_max_entries(100));
    let good = host(u16::MAX);
    guarded.succeed("app", good);
    (0..60_000).for_each(|place| {
        guarded.now += u64::from(place % 100 == 0);
        guarded.fail(&place.to_string(), host(place));
    });
    guarded.now += 10;
    guarded.fail_from_everywhere(1000);
    assert_eq!(guarded.by("app", host(1)), "global");
    assert_eq!(guarded.wait("app", good), 0);
}

/// X-BF-02
#[test]
fn attempts_under_way_are_bounded_so_that_a_burst_cannot_outrun_the_count() {
    let guarded = Guarded::new();
    let permits: Vec<_> = (0..64).map(|_| guarded.admit("app", host(1)).unwrap()).collect();
    assert_eq!(guarded.by("app", host(1)), "pair");
    assert_eq!(guarded.wait("app", host(1)), 1);
    assert_eq!(guarded.wait("app", host(2)), 0);
    assert_eq!(guarded.wait("other", host(1)), 0);
    permits.into_iter().for_each(|permit| permit.begin().failed(guarded.time()));
    assert_eq!(guarded.by("app", host(1)), "pair");
    assert_eq!(guarded.wait("app", host(1)), 900);
    assert_eq!(guarded.by("other", host(1)), "source");
    assert_eq!(guarded.wait("other", host(1)), 70, "34 failures too many are paid for");
}

#[test]
fn a_known_good_pair_may_have_any_number_of_attempts_under_way() {
    let guarded = Guarded::new();
    guarded.succeed("app", host(1));
    let permits: Vec<_> = (0..5000).map(|_| guarded.admit("app", host(1)).unwrap()).collect();
    permits.into_iter().for_each(|permit| permit.begin().succeeded(guarded.time()));
    assert_eq!(guarded.limiter.counts().lens(), [0, 2, 0]);
}

/// X-BF-02
#[test]
fn after_a_wait_there_is_one_attempt_at_a_time() {
    let mut guarded = Guarded::new();
    guarded.succeed("app", host(1));
    (0..5).for_each(|_| guarded.fail("app", host(1)));
    guarded.now += 1;
    let first = guarded.admit("app", host(1)).unwrap();
    assert_eq!(guarded.wait("app", host(1)), 1);
    first.begin().succeeded(guarded.time());
    assert_eq!(guarded.wait("app", host(1)), 0);
}

#[test]
fn a_guess_that_is_given_up_counts_as_failed() {
    let guarded = Guarded::new();
    (0..5).for_each(|_| drop(guarded.admit("app", host(1)).unwrap().begin()));
    assert_eq!(guarded.by("app", host(1)), "pair");
}

#[test]
fn what_is_withdrawn_or_given_up_before_it_begins_counts_as_nothing() {
    for begins in [false, true] {
        let nothing = |permit: Permit<'_>| {
            if begins {
                permit.begin().withdrawn();
            }
        };
        let guarded = Guarded::new();
        (0..5000).for_each(|_| nothing(guarded.admit("app", host(1)).unwrap()));
        assert_eq!(guarded.limiter.counts().lens(), [0, 0, 0]);
        (0..4).for_each(|_| guarded.fail("app", host(1)));
        nothing(guarded.admit("app", host(1)).unwrap());
        assert_eq!(guarded.wait("app", host(1)), 0);
        guarded.fail("app", host(1));
        assert_eq!(guarded.wait("app", host(1)), 1);
    }
}

/// X-BF-03
#[test]
fn an_unknown_source_is_throttled_with_all_and_locks_no_application_out() {
    let mut guarded = Guarded::new();
    (0..1000).for_each(|_| guarded.fail("app", Source::Unknown));
    for who in ["app", "other"] {
        assert_eq!(guarded.by(who, Source::Unknown), "global");
    }
    guarded.now += 1;
    guarded.succeed("app", Source::Unknown);
    assert_eq!(guarded.limiter.counts().lens(), [0, 0, 0]);
}

/// X-BF-05
#[test]
fn a_million_names_take_no_more_memory_than_the_bound() {
    let mut guarded = Guarded::new();
    for name in 0..1_000_000_u32 {
        guarded.now += u64::from(name % 100 == 0);
        guarded.fail(&name.to_string(), host((name % 65_536) as u16));
    }
    assert_eq!(guarded.limiter.counts().lens(), [10_000, 0, 10_000]);
    for name in 0..20_000_u32 {
        guarded.succeed(&name.to_string(), host(1));
    }
    assert_eq!(guarded.limiter.counts().lens()[1], 10_000);
}

/// X-BF-05
#[test]
fn what_is_refused_leaves_nothing_behind() {
    let guarded = Guarded::new();
    guarded.fail_from_everywhere(1000);
    let before = guarded.limiter.counts().lens();
    (0..5000).for_each(|name| assert_ne!(guarded.wait(&name.to_string(), host(name)), 0));
    assert_eq!(guarded.limiter.counts().lens(), before);
}

/// X-BF-07
#[test]
fn misses_count_against_the_source_and_all() {
    let mut guarded = Guarded::new();
    let check = |guarded: &Guarded, source| {
        guarded.limiter.check(source, guarded.time()).map_err(|throttled| throttled.by.code())
    };
    (0..30).for_each(|_| guarded.limiter.note_miss(host(1), guarded.time()));
    assert_eq!(check(&guarded, host(1)), Err("source"));
    assert_eq!(guarded.by("app", host(1)), "source");
    assert_eq!(check(&guarded, host(2)), Ok(()));
    guarded.succeed("app", host(3));
    (0..970).for_each(|_| guarded.limiter.note_miss(Source::Unknown, guarded.time()));
    assert_eq!(check(&guarded, host(2)), Err("global"));
    assert_eq!(check(&guarded, Source::Unknown), Err("global"));
    assert_eq!(check(&guarded, host(3)), Ok(()), "an application succeeded from there");
    guarded.now += 2;
    assert_eq!(check(&guarded, host(1)), Ok(()));
    assert_eq!(check(&guarded, Source::Unknown), Ok(()));
}

#[test]
fn a_clock_that_steps_back_makes_nobody_wait_longer() {
    let mut guarded = Guarded::new();
    (0..20).for_each(|_| guarded.fail_in_time("app", host(1)));
    assert_eq!(guarded.wait("app", host(1)), 900);
    guarded.now -= 30 * DAY;
    assert_eq!(guarded.wait("app", host(1)), 900);
    guarded.now += 900;
    assert_eq!(guarded.wait("app", host(1)), 0);
    guarded.now = 0;
    assert_eq!(guarded.wait("app", host(1)), 0);
}

#[test]
fn a_poisoned_lock_is_no_reason_to_stop() {
    let guarded = Guarded::new();
    let limiter = &guarded.limiter;
    let panicked = thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let _counts = limiter.counts();
            panic::resume_unwind(Box::new("while the counts are locked"));
        });
        thread.join()
    });
    assert!(panicked.is_err());
    guarded.succeed("app", host(1));
}

#[test]
fn a_permit_may_be_held_across_an_await() {
    fn is_send<T: Send>(_: &T) {}
    let guarded = Guarded::new();
    is_send(&guarded.admit("app", host(1)).unwrap());
}

#[test]
fn the_codes_are_stable() {
    let all = [ThrottledBy::Pair, ThrottledBy::Source, ThrottledBy::Global];
    assert_eq!(all.map(|by| by.to_string()), ["pair", "source", "global"]);
}

#[test]
fn a_setting_out_of_range_is_a_mistake_that_names_it() {
    let (day, none) = (Duration::from_secs(DAY), Duration::ZERO);
    let default = Throttle::default;
    let mistakes = [
        (default().with_max_entries(99), "max_entries must be between 100 and 1000000, not 99"),
        (default().with_max_entries(1_000_001), "max_entries must"),
        (default().with_backoff_from(0), "backoff_from must"),
        (default().with_backoff_from(101), "backoff_from must"),
        (default().with_max_backoff(none), "max_backoff must be between 60 and 900, not 0"),
        (default().with_max_backoff(Duration::from_secs(901)), "max_backoff must"),
        (default().with_max_pending(0), "max_pending must"),
        (default().with_known_good_for(none), "known_good_for must"),
        (default().with_known_good_for(day * 31), "known_good_for must"),
        (default().with_source_failures(0, day / DAY as u32), "source_failures at once must"),
        (default().with_source_failures(30, none), "source_failures one more every must"),
        (default().with_global_failures(0, 1), "global_failures at once must"),
        (default().with_global_failures(1, 0), "global_failures per second must"),
    ];
    assert_eq!(default().check(), Ok(()));
    for (throttle, words) in mistakes {
        let error = throttle.check().unwrap_err().to_string();
        assert!(error.starts_with(words), "{error}");
    }
}
