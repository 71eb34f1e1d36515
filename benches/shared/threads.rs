//! Whether two threads do twice the work of one.

use std::{sync::Barrier, thread, time::Duration};

use crate::{
    fixture::{Fixture, requests},
    guarded, remembering,
    shared::{Contender, Empty, Options, median},
};

/// What a thread does, which makes it itself.
type MakeWork<'a> = &'a (dyn Fn() -> Contender + Sync);

/// Requests of one service, which each thread has a clone of, as the connections of a server have.
pub(crate) fn scaling(options: &Options, fixture: &Fixture) {
    const GROUP: &str = "HS256 two threads";
    if !options.shows(GROUP) {
        return;
    }
    let one = std::slice::from_ref(&fixture.valid);
    let many = fixture.many(1000);
    let by_hand = fixture.by_hand(Empty);
    let uncached = guarded(fixture.trusted(1));
    let cached = remembering(fixture.trusted(1), &many);
    let hot = remembering(fixture.trusted(1), one);
    let cells: [(&str, MakeWork<'_>); 5] = [
        ("bare service", &|| Contender::service("", Empty, 200, requests(one))),
        ("by hand", &|| Contender::service("", by_hand.clone(), 200, requests(one))),
        ("tower-bearer", &|| Contender::service("", uncached.clone(), 200, requests(one))),
        ("1000 tokens", &|| Contender::service("", cached.clone(), 200, requests(&many))),
        ("1 token", &|| Contender::service("", hot.clone(), 200, requests(one))),
    ];
    println!("\n{GROUP}");
    // Long beside what the system needs to give each of two new threads a processor of its own.
    let (samples, time) = match options.smoke {
        true => (3, Duration::from_micros(50)),
        false => (31, Duration::from_millis(100)),
    };
    let mut rates: Vec<_> = cells.iter().map(|(_, work)| Rates::of(*work, time)).collect();
    for _ in 0..samples {
        rates.iter_mut().for_each(Rates::sample);
    }
    for ((name, _), rates) in cells.into_iter().zip(rates) {
        let (alone, together) = rates.medians();
        println!(
            "  {name:<34} {:>9.0} ns alone   {together:>6.2} times as many requests by two",
            1e9 / alone,
        );
    }
}

/// Requests per second of one thread, and how many times that two of them do, in samples that are
/// taken in turns.
struct Rates<'a> {
    work: MakeWork<'a>,
    times: usize,
    alone: Vec<f64>,
    together: Vec<f64>,
}

impl<'a> Rates<'a> {
    fn of(work: MakeWork<'a>, time: Duration) -> Self {
        Self { work, times: work().batch(time), alone: Vec::new(), together: Vec::new() }
    }

    fn sample(&mut self) {
        let one = rate(self.work, 1, self.times);
        self.alone.push(one);
        self.together.push(rate(self.work, 2, self.times) / one);
    }

    fn medians(self) -> (f64, f64) {
        (median(self.alone), median(self.together))
    }
}

/// Requests per second of so many threads, which begin at once and do their work so many times each, by
/// the clock of each, which stands while it makes requests.
fn rate(work: MakeWork<'_>, threads: usize, times: usize) -> f64 {
    let start = Barrier::new(threads);
    let run = || {
        let mut contender = work();
        contender.time(1); // what is done once is not counted
        start.wait();
        times as f64 / contender.time(times).as_secs_f64()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    })
}
