use std::{future::Future, pin::Pin, time::Duration};

use crate::issue::Source;

/// Limits how often secrets and tokens are guessed, beside the [`Throttle`](super::Throttle) that is
/// built in: a limiter that many servers share, or one that knows more about sources.
///
/// It is asked after the built-in one let an attempt through, and before anything is looked up or
/// hashed, with what was presented and nobody vouches for. It is told how attempts ended that were
/// looked at. One that cannot decide, as in an outage of its own, lets through: the built-in one
/// still holds.
///
/// ```
/// use std::{net::IpAddr, time::Duration};
/// use tower_bearer::issue::{Admission, GuessAttempt, GuessLimiter, Source};
///
/// /// Lets nobody in from one address.
/// struct Without(IpAddr);
///
/// impl GuessLimiter for Without {
///     fn admit<'a>(&'a self, attempt: GuessAttempt<'a>) -> Admission<'a> {
///         let is_let_in = attempt.source != Source::Address(self.0);
///         Box::pin(async move { if is_let_in { Ok(()) } else { Err(Duration::from_secs(60)) } })
///     }
///     fn failed(&self, _attempt: GuessAttempt<'_>) {}
/// }
/// ```
pub trait GuessLimiter: Send + Sync + 'static {
    /// Whether the attempt may be made.
    ///
    /// # Errors
    ///
    /// How long to wait, which is rounded up to seconds: the client gets 429 and is told
    /// (`Retry-After`).
    fn admit<'a>(&'a self, attempt: GuessAttempt<'a>) -> Admission<'a>;

    /// The attempt failed: the secret was wrong, there is no such application, the token is none of
    /// this server, or the client went away while the secret was compared. Must not block.
    ///
    /// Nothing is told of an attempt that ended before its secret was looked at, be it that the
    /// client went away or that the store failed.
    fn failed(&self, attempt: GuessAttempt<'_>);

    /// An application proved who it is. Must not block; does nothing unless implemented.
    fn succeeded(&self, attempt: GuessAttempt<'_>) {
        let _ = attempt;
    }
}

/// What [`GuessLimiter::admit`] returns.
pub type Admission<'a> = Pin<Box<dyn Future<Output = Result<(), Duration>> + Send + 'a>>;

/// An attempt to prove something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuessAttempt<'a> {
    /// The application name or client id as it was presented, with a secret; nothing where a token
    /// was presented instead.
    pub application: Option<&'a str>,
    /// Where it came from.
    pub source: Source,
}
