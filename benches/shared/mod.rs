//! What the benchmarks share: contenders that do one thing per call, and a loop that measures them in
//! turns, so that a slow moment of the machine hits all of them.

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

/// What is measured.
pub(crate) trait Work {
    /// Makes what the next calls of `run` take, so many of them, which is not measured.
    fn make_ready(&mut self, _times: usize) {}

    /// Does the work once.
    fn run(&mut self);
}

impl<F: FnMut()> Work for F {
    fn run(&mut self) {
        self();
    }
}

/// One thing to measure, and what it is called.
pub(crate) struct Contender {
    pub(crate) name: String,
    work: Box<dyn Work>,
}

impl Contender {
    /// What is made ready at once: few enough to stay near, as the request of a connection does.
    const AT_ONCE: usize = 16;

    pub(crate) fn new(name: impl Into<String>, work: impl Work + 'static) -> Self {
        Self { name: name.into(), work: Box::new(work) }
    }

    /// Sends the requests that `make` makes through a service, which must answer them at once.
    pub(crate) fn service<S, Q, B>(
        name: impl Into<String>,
        service: S,
        expect: u16,
        make: impl FnMut() -> Request<Q> + 'static,
    ) -> Self
    where
        S: Service<Request<Q>, Response = Response<B>, Error = Infallible> + 'static,
        Q: 'static,
    {
        Self::new(name, Sent { service, make, requests: Vec::new(), expect })
    }

    /// How long so many calls take.
    pub(crate) fn time(&mut self, times: usize) -> Duration {
        let mut spent = Duration::ZERO;
        let mut left = times;
        while left > 0 {
            let now = left.min(Self::AT_ONCE);
            spent += self.ready(now, |work| {
                let start = Instant::now();
                (0..now).for_each(|_| work.run());
                start.elapsed()
            });
            left -= now;
        }
        spent
    }

    /// How many calls take about this long.
    pub(crate) fn batch(&mut self, target: Duration) -> usize {
        let mut batch = 1;
        while self.time(batch) < target {
            batch *= 2;
        }
        batch
    }

    /// What `measure` says of so many calls.
    pub(crate) fn ready<M>(&mut self, times: usize, measure: impl FnOnce(&mut dyn Work) -> M) -> M {
        self.work.make_ready(times);
        measure(&mut *self.work)
    }
}

/// Requests that are sent through a service.
struct Sent<S, M, Q> {
    service: S,
    make: M,
    requests: Vec<Request<Q>>,
    expect: u16,
}

/// A future that is not ready after so many polls waits for something, which nobody should.
const POLLS: usize = 16;

impl<S, M, Q, B> Work for Sent<S, M, Q>
where
    S: Service<Request<Q>, Response = Response<B>, Error = Infallible>,
    M: FnMut() -> Request<Q>,
{
    fn make_ready(&mut self, times: usize) {
        self.requests.extend((0..times).map(|_| (self.make)()));
    }

    fn run(&mut self) {
        let request = self.requests.pop().expect("a request is ready");
        let mut cx = Context::from_waker(Waker::noop());
        assert!(self.service.poll_ready(&mut cx).is_ready(), "the service is ready");
        let mut future = pin!(self.service.call(request));
        let answer = (0..POLLS).find_map(|_| match future.as_mut().poll(&mut cx) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        });
        let Some(Ok(response)) = answer else {
            panic!("the service waits for something");
        };
        assert_eq!(response.status().as_u16(), self.expect);
        black_box(response);
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
    cell: Option<(String, usize)>,
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

    /// The one cell that is asked for, and how many times it shall run.
    pub(crate) fn cell(&self) -> Option<(&str, usize)> {
        self.cell.as_ref().map(|(cell, times)| (&**cell, *times))
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

    /// Nanoseconds per call, the median of many short samples taken in turns.
    pub(crate) fn medians(&self, contenders: &mut [Contender]) -> Vec<f64> {
        let (samples, target) = if self.smoke {
            (3, Duration::from_micros(50))
        } else {
            (151, Duration::from_millis(2))
        };
        let batches: Vec<_> = contenders.iter_mut().map(|one| one.batch(target)).collect();
        let mut times = vec![Vec::new(); contenders.len()];
        for _ in 0..samples {
            for ((contender, batch), times) in contenders.iter_mut().zip(&batches).zip(&mut times) {
                times.push(contender.time(*batch).as_nanos() as f64 / *batch as f64);
            }
        }
        times.into_iter().map(median).collect()
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
