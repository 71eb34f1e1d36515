/// How many failures fit into a bucket, and how soon they are forgotten. Counted in shares, so that
/// every second gives back a whole number of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    most: i64,
    /// What one failure costs.
    cost: i64,
    per_second: i64,
    /// A bucket never holds less than this. It is in debt if many attempts under way failed
    /// together.
    least: i64,
}

impl Rate {
    /// So many failures at once, and so many more in so many seconds; whatever happens, there is
    /// one more within `longest` seconds.
    pub(super) fn new(at_once: u32, more: u32, seconds: u64, longest: u64) -> Self {
        let whole = |number: u64| i64::from(u32::try_from(number).unwrap_or(u32::MAX).max(1));
        let (cost, per_second) = (whole(seconds), whole(more.into()));
        let least = cost.saturating_sub(whole(longest).saturating_mul(per_second));
        Self {
            most: whole(at_once.into()).saturating_mul(cost),
            cost,
            per_second,
            least: least.min(0),
        }
    }
}

/// A token bucket of failures that are still to be had.
pub(super) struct Bucket {
    held: i64,
    /// When it was looked at last, in seconds that passed.
    at: u64,
}

impl Bucket {
    pub(super) fn full(rate: Rate, at: u64) -> Self {
        Self { held: rate.most, at }
    }

    /// How many seconds it takes until a failure is to be had; `None` if one is.
    pub(super) fn wait(&mut self, rate: Rate, at: u64) -> Option<u64> {
        self.fill(rate, at);
        let missing = u64::try_from(rate.cost - self.held).ok().filter(|missing| *missing > 0)?;
        Some(missing.div_ceil(rate.per_second.unsigned_abs()))
    }

    /// Takes so many failures out, whether they are to be had or not; also later than they happened.
    pub(super) fn take(&mut self, rate: Rate, failures: u32, at: u64) {
        self.fill(rate, at);
        let cost = rate.cost.saturating_mul(failures.into());
        self.held = self.held.saturating_sub(cost).max(rate.least);
    }

    fn fill(&mut self, rate: Rate, at: u64) {
        let passed = i64::try_from(at.saturating_sub(self.at)).unwrap_or(i64::MAX);
        let more = passed.saturating_mul(rate.per_second);
        self.held = self.held.saturating_add(more).min(rate.most);
        self.at = self.at.max(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_burst_and_fills_one_by_one() {
        let rate = Rate::new(30, 1, 2, 900);
        let mut bucket = Bucket::full(rate, 100);
        bucket.take(rate, 29, 100);
        assert_eq!(bucket.wait(rate, 100), None);
        bucket.take(rate, 1, 100);
        assert_eq!(bucket.wait(rate, 100), Some(2));
        assert_eq!(bucket.wait(rate, 101), Some(1));
        assert_eq!(bucket.wait(rate, 102), None);
        bucket.take(rate, 1, 102);
        assert_eq!(bucket.wait(rate, 103), Some(1));
    }

    #[test]
    fn a_full_bucket_holds_no_more_however_long_it_stands() {
        let rate = Rate::new(3, 100, 1, 900);
        let mut bucket = Bucket::full(rate, 0);
        assert_eq!(bucket.wait(rate, u64::MAX), None);
        bucket.take(rate, 3, u64::MAX);
        assert_eq!(bucket.wait(rate, u64::MAX), Some(1));
    }

    #[test]
    fn failures_beyond_the_last_are_a_debt_with_a_bound() {
        let rate = Rate::new(30, 1, 2, 900);
        let mut bucket = Bucket::full(rate, 0);
        bucket.take(rate, 40, 0);
        assert_eq!(bucket.wait(rate, 0), Some(22));
        bucket.take(rate, 100_000, 0);
        assert_eq!(bucket.wait(rate, 0), Some(900));
        assert_eq!(bucket.wait(rate, 900), None);
    }

    #[test]
    fn a_failure_that_is_told_late_gives_nothing_back() {
        let rate = Rate::new(3, 1, 1, 900);
        let mut bucket = Bucket::full(rate, 100);
        bucket.take(rate, 2, 100);
        bucket.take(rate, 2, 90);
        assert_eq!(bucket.wait(rate, 100), Some(2));
        assert_eq!(bucket.wait(rate, 102), None);
    }

    #[test]
    fn no_setting_is_too_much() {
        for (at_once, more, seconds, longest) in
            [(u32::MAX, u32::MAX, u64::MAX, u64::MAX), (0, 0, 0, 0)]
        {
            let rate = Rate::new(at_once, more, seconds, longest);
            let mut bucket = Bucket::full(rate, u64::MAX);
            assert_eq!(bucket.wait(rate, 0), None);
            bucket.take(rate, 2, 1);
            bucket.wait(rate, u64::MAX);
        }
    }
}
