use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Admit { who: u8, host: Option<u16> },
    Settle { at: usize, how: u8 },
    Miss { host: Option<u16> },
    MoveBy(i64),
    MoveTo(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let host = || prop::option::weighted(0.9, 0..4_u16);
    prop_oneof![
        6 => (0..3_u8, host()).prop_map(|(who, host)| Step::Admit { who, host }),
        5 => (any::<usize>(), 0..8_u8).prop_map(|(at, how)| Step::Settle { at, how }),
        1 => host().prop_map(|host| Step::Miss { host }),
        2 => (-1200..1200_i64).prop_map(Step::MoveBy),
        1 => prop_oneof![any::<u64>(), Just(0), Just(u64::MAX)].prop_map(Step::MoveTo),
    ]
}

fn settings() -> impl Strategy<Value = Throttle> {
    (1..=8_u32, 60..=900_u64, 1..=4_u32, (1..=40_u32, 1..=60_u64), (1..=40_u32, 1..=100_u32))
        .prop_map(|(from, backoff, pending, (source, every), (global, per_second))| {
            Throttle::default()
                .with_max_entries(100)
                .with_backoff_from(from)
                .with_max_backoff(Duration::from_secs(backoff))
                .with_max_pending(pending)
                .with_source_failures(source, Duration::from_secs(every))
                .with_global_failures(global, per_second)
        })
}

/// Takes the steps from the start on, and says when the last one was and what is under way then.
fn take<'l>(
    limiter: &'l Limiter,
    steps: &[Step],
    max: Duration,
) -> Result<(u64, Vec<Permit<'l>>), TestCaseError> {
    let source = |number: Option<u16>| number.map_or(Source::Unknown, host);
    let (mut now, mut permits) = (START, Vec::new());
    for step in steps {
        let time = UnixTime::from_secs(now);
        match *step {
            Step::Admit { who, host } => {
                match limiter.admit(&who.to_string(), source(host), time) {
                    Ok(permit) => permits.push(permit),
                    Err(Throttled { retry_after, .. }) => {
                        prop_assert!((Duration::from_secs(1)..=max).contains(&retry_after));
                    }
                }
            }
            Step::Settle { at, how } if !permits.is_empty() => {
                let permit = permits.swap_remove(at % permits.len());
                match how {
                    0 => permit.begin().succeeded(time),
                    1 => permit.begin().withdrawn(),
                    2 => drop(permit.begin()),
                    3 => drop(permit),
                    _ => permit.begin().failed(time),
                }
            }
            Step::Settle { .. } => {}
            Step::Miss { host } => limiter.note_miss(source(host), time),
            Step::MoveBy(by) => now = now.saturating_add_signed(by),
            Step::MoveTo(to) => now = to,
        }
    }
    Ok((now, permits))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// X-BF-02
    #[test]
    fn nobody_waits_for_longer_than_the_longest_wait_whatever_happened(
        throttle in settings(),
        steps in prop::collection::vec(step(), 0..400),
    ) {
        throttle.check().unwrap();
        let (limiter, max) = (Limiter::new(&throttle), throttle.max_backoff);
        let (now, permits) = take(&limiter, &steps, max)?;
        drop(permits);
        // The limiter sees where the clock went. Up to 10 s back count as no step.
        limiter.check(Source::Unknown, UnixTime::from_secs(now)).ok();
        if let Some(later) = now.checked_add(max.as_secs() + 10) {
            for source in (0..4).map(host).chain([Source::Unknown]) {
                let admitted = limiter.admit("0", source, UnixTime::from_secs(later));
                prop_assert_eq!(admitted.map(drop), Ok(()));
            }
        }
    }
}
