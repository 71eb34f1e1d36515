//! What the benchmarks share: contenders that handle one request per call, and a loop that measures
//! them in turns, so that a slow moment of the machine hits all of them.

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use http::{Request, Response};
use tower::Service;

/// One thing to measure: does its work once per call.
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) run: Box<dyn FnMut()>,
}

impl Contender {
    pub(crate) fn new(name: impl Into<String>, run: impl FnMut() + 'static) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }

    /// Sends the request that `make` makes through a service, whose future must be ready at once.
    pub(crate) fn service<S>(
        name: impl Into<String>,
        mut service: S,
        expect: u16,
        mut make: impl FnMut() -> Request<()> + 'static,
    ) -> Self
    where
        S: Service<Request<()>, Response = Response<()>, Error = Infallible> + 'static,
    {
        Self::new(name, move || {
            let future = pin!(service.call(make()));
            let Poll::Ready(Ok(response)) = future.poll(&mut Context::from_waker(Waker::noop()))
            else {
                panic!("the service answers at once");
            };
            assert_eq!(response.status().as_u16(), expect);
            black_box(response);
        })
    }
}

/// The innermost service: an empty 200.
#[derive(Clone, Copy)]
pub(crate) struct Empty;

impl Service<Request<()>> for Empty {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        black_box(&request);
        ready(Ok(Response::new(())))
    }
}

/// How the benchmark was started.
pub(crate) struct Options {
    pub(crate) smoke: bool,
    /// Only groups whose name contains this.
    filter: String,
    /// Runs the cell of this name so many times and does nothing else, for `callgrind`.
    cell: Option<(String, u64)>,
}

impl Options {
    /// A part of the names of the groups to run, `--smoke`, or `--cell NAME TIMES`; what cargo adds by
    /// itself is ignored.
    pub(crate) fn from_arguments() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let cell = arguments.iter().position(|argument| argument == "--cell").map(|at| {
            let times = arguments.get(at + 2).and_then(|times| times.parse().ok());
            let name = arguments.get(at + 1).cloned().expect("--cell NAME TIMES");
            (name, times.expect("--cell NAME TIMES"))
        });
        let filter = arguments.iter().find(|argument| cell.is_none() && !argument.starts_with('-'));
        Self {
            smoke: arguments.iter().any(|argument| argument == "--smoke"),
            filter: filter.cloned().unwrap_or_default(),
            cell,
        }
    }

    /// Whether the one cell that is asked for may be in a group whose name starts like this.
    pub(crate) fn wants(&self, prefix: &str) -> bool {
        match &self.cell {
            Some((cell, _)) => cell.starts_with(prefix),
            None => true,
        }
    }

    /// Whether the tables of this group are printed.
    pub(crate) fn shows(&self, group: &str) -> bool {
        self.cell.is_none() && group.contains(&self.filter)
    }

    /// Whether anything of this group is run.
    pub(crate) fn runs(&self, group: &str) -> bool {
        self.shows(group) || (self.cell.is_some() && self.wants(group))
    }

    /// Measures a group and prints a table: median time, ratio to the baseline, allocations.
    pub(crate) fn compare(&self, group: &str, baseline: usize, mut contenders: Vec<Contender>) {
        if let Some((cell, times)) = &self.cell {
            for contender in &mut contenders {
                if format!("{group}/{}", contender.name) == *cell {
                    (contender.run)(); // what is done once is not counted
                    measured(contender, *times);
                }
            }
            return;
        }
        if !self.shows(group) {
            return;
        }
        let medians = self.medians(&mut contenders);
        println!("\n{group}");
        for (contender, median) in contenders.iter_mut().zip(&medians) {
            let allocations = allocation_counter::measure(|| (contender.run)()).count_total;
            println!(
                "  {:<34} {:>9.0} ns   {:>6.3}   {allocations:>3} allocations",
                contender.name,
                median,
                median / medians[baseline],
            );
        }
    }

    /// Nanoseconds per call, the median of many short samples taken in turns.
    pub(crate) fn medians(&self, contenders: &mut [Contender]) -> Vec<f64> {
        let (samples, target) = if self.smoke {
            (3, Duration::from_micros(50))
        } else {
            (151, Duration::from_millis(2))
        };
        let batches: Vec<u32> = contenders.iter_mut().map(|one| batch(one, target)).collect();
        let mut times = vec![Vec::new(); contenders.len()];
        for _ in 0..samples {
            for ((contender, batch), times) in contenders.iter_mut().zip(&batches).zip(&mut times) {
                let start = Instant::now();
                (0..*batch).for_each(|_| (contender.run)());
                times.push(start.elapsed().as_nanos() as f64 / f64::from(*batch));
            }
        }
        times.into_iter().map(median).collect()
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What `callgrind` counts: it starts and stops at this name.
#[inline(never)]
fn measured(contender: &mut Contender, times: u64) {
    (0..times).for_each(|_| (contender.run)());
}

/// How many calls take about this long.
pub(crate) fn batch(contender: &mut Contender, target: Duration) -> u32 {
    let mut batch = 1;
    loop {
        let start = Instant::now();
        (0..batch).for_each(|_| (contender.run)());
        if start.elapsed() >= target {
            return batch;
        }
        batch *= 2;
    }
}
