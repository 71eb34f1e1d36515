use crate::time::UnixTime;

/// Seconds that passed, by a clock that may step: they never run backwards, so that no step of the
/// clock makes anybody wait longer.
#[derive(Default)]
pub(super) struct Passed {
    seconds: u64,
    /// The latest time that was told, since the clock last stepped back.
    latest: UnixTime,
}

/// How far behind the latest time a time may be, in seconds, that was only told late. Anything more
/// is a step back; taken for one, a late time would make time run fast.
const LATE: u64 = 10;
/// The most that passes at once, in seconds: a century. So their sum is never too large.
const LONG: u64 = 100 * 366 * 24 * 60 * 60;

impl Passed {
    /// Seconds up to a time that was just asked for.
    pub(super) fn until(&mut self, now: UnixTime) -> u64 {
        if self.latest.since(now).as_secs() > LATE {
            self.latest = now;
        }
        self.at_least(now)
    }

    /// Seconds up to a time that may be told late.
    pub(super) fn at_least(&mut self, time: UnixTime) -> u64 {
        let more = time.since(self.latest).as_secs().min(LONG);
        self.seconds = self.seconds.saturating_add(more);
        self.latest = self.latest.max(time);
        self.seconds
    }

    pub(super) fn so_far(&self) -> u64 {
        self.seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much passes while the clock tells these times.
    fn passed(times: &[u64]) -> u64 {
        let mut passed = Passed::default();
        let start = passed.until(UnixTime::from_secs(1_000_000));
        for time in times {
            passed.until(UnixTime::from_secs(*time));
        }
        passed.so_far() - start
    }

    #[test]
    fn time_passes_as_the_clock_goes() {
        assert_eq!(passed(&[1_000_000, 1_000_001, 1_000_005]), 5);
    }

    #[test]
    fn time_goes_on_from_a_clock_that_was_set_back() {
        assert_eq!(passed(&[1_000_020, 500, 530]), 50);
        assert_eq!(passed(&[0, 0, 3]), 3);
    }

    #[test]
    fn a_time_that_is_told_late_makes_time_neither_run_back_nor_fast() {
        assert_eq!(passed(&[1_000_010, 1_000_000, 1_000_010, 1_000_000, 1_000_011]), 11);
        let mut passed = Passed::default();
        let start = passed.until(UnixTime::from_secs(1_000_000));
        assert_eq!(passed.at_least(UnixTime::from_secs(5)), start);
        assert_eq!(passed.until(UnixTime::from_secs(1_000_000)), start);
    }

    #[test]
    fn no_time_is_too_much() {
        let start = Passed::default().until(UnixTime::from_secs(u64::MAX));
        assert_eq!(start, LONG);
        assert_eq!(passed(&[u64::MAX, 0, u64::MAX, 0, 7]), 2 * LONG + 7);
    }
}
