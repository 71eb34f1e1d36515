//! What an operator sees: every outcome as an [`AuthEvent`], given to [`OnEvent`] sinks.
//!
//! An event never holds a token or a secret, and its [code](AuthEvent::code) is one of a fixed
//! list, fit for a metric label. With the feature `tracing` (default) the events go to `tracing`
//! unless another sink is chosen.
//!
//! A sink is called in the path of the request, so it must not block: put a slow one behind
//! [`Queued`]. A sink that panics is caught; the request goes on.
//!
//! ```
//! use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
//! use tower_bearer::event::{AuthEvent, OnEvent};
//!
//! let refused = Arc::new(AtomicU64::new(0));
//! let count = {
//!     let refused = Arc::clone(&refused);
//!     move |event: &AuthEvent| {
//!         if let AuthEvent::Refused { .. } = event {
//!             refused.fetch_add(1, Ordering::Relaxed);
//!         }
//!     }
//! };
//!
//! // Sinks compose: each element of a tuple gets every event; `()` does nothing.
//! let sink = (count, ());
//! sink.on_event(&AuthEvent::Refused {
//!     error: tower_bearer::AuthErrorKind::Expired.into(),
//!     caller: None,
//! });
//! assert_eq!(refused.load(Ordering::Relaxed), 1);
//! ```

mod issuing;
mod queued;
#[cfg(feature = "tracing")]
mod trace;

use std::{
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

#[cfg(feature = "tracing")]
pub use self::trace::Tracing;
pub use self::{
    issuing::{IssuingAction, IssuingEvent, Severity},
    queued::Queued,
};
use crate::{error::AuthError, key::SkippedKey, time::UnixTime, verified::AuthContext};

/// Something that an operator may want to know.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AuthEvent {
    /// The layer let a request through. A guard, an extractor or a handler further in may still
    /// refuse it, which is one more event.
    Accepted {
        /// Who the caller is; anonymous if optional authentication let the request through.
        caller: AuthContext,
    },
    /// A request was refused, by the layer or by a guard, an extractor or a handler inside it.
    Refused {
        /// Why.
        error: AuthError,
        /// Who the caller is, if the token was verified.
        caller: Option<AuthContext>,
    },
    /// A key of an issuer cannot be used.
    KeySkipped {
        /// The issuer that is configured.
        issuer: Arc<str>,
        /// Which key, and why.
        key: SkippedKey,
    },
    /// The keys of an issuer were replaced.
    KeysReplaced {
        /// The issuer that is configured.
        issuer: Arc<str>,
        /// The number of the key set, counted from 1 for the first one.
        generation: u64,
        /// How many keys can be used.
        keys: usize,
    },
    /// The keys of an issuer could not be fetched.
    KeyRefreshFailed {
        /// The issuer that is configured.
        issuer: Arc<str>,
        /// Why: a `RefreshError` of the module `remote_keys`.
        error: Arc<dyn Error + Send + Sync>,
        /// Until when the keys at hand may be used, if there are any.
        usable_until: Option<UnixTime>,
    },
    /// New keys of an issuer were turned down, and the old ones kept, as none could be used.
    KeysRejected {
        /// The issuer that is configured.
        issuer: Arc<str>,
    },
    /// Nothing was heard for too long of what was revoked; until
    /// [`RevocationsCurrent`](Self::RevocationsCurrent) the choice that was made for that applies.
    RevocationsStale {
        /// The time up to which everything was known, if it ever was.
        known_until: Option<UnixTime>,
        /// Whether tokens are refused meanwhile; else they are accepted.
        refuses: bool,
        /// Why nothing was heard.
        error: Arc<dyn Error + Send + Sync>,
    },
    /// It is known again what was revoked.
    RevocationsCurrent {
        /// How many revocations there are.
        revocations: usize,
    },
    /// Something happened at the issuing side.
    Issuing(IssuingEvent),
}

impl AuthEvent {
    /// A stable code: that of the [kind of error](crate::AuthErrorKind::code) for refusals, else
    /// `accepted`, `key_skipped`, `key_exposed`, `keys_replaced`, `key_refresh_failed`,
    /// `keys_rejected`, `revocations_stale`, `revocations_current`, or that of the [action](IssuingAction::code) of the issuing side.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => ACCEPTED,
            Self::Refused { error, .. } => error.kind().code(),
            Self::KeySkipped { key, .. } if key.is_exposed() => "key_exposed",
            Self::KeySkipped { .. } => "key_skipped",
            Self::KeysReplaced { .. } => "keys_replaced",
            Self::KeyRefreshFailed { .. } => "key_refresh_failed",
            Self::KeysRejected { .. } => "keys_rejected",
            Self::RevocationsStale { .. } => "revocations_stale",
            Self::RevocationsCurrent { .. } => "revocations_current",
            Self::Issuing(event) => event.action.code(),
        }
    }
}

/// The code of an accepted request.
const ACCEPTED: &str = "accepted";

/// Takes events. Implemented for closures, `()`, [`Arc`]s, `Option`s and tuples of sinks.
///
/// Texts in an event are as long as a verified token has them, and the source of an error as long
/// as whoever made it likes: a sink that writes them cuts and escapes them, as `Tracing` does.
pub trait OnEvent: Send + Sync + 'static {
    /// Takes one event. Must not block, as a request is waiting.
    fn on_event(&self, event: &AuthEvent);
}

impl<F: Fn(&AuthEvent) + Send + Sync + 'static> OnEvent for F {
    fn on_event(&self, event: &AuthEvent) {
        self(event);
    }
}

impl OnEvent for () {
    fn on_event(&self, _event: &AuthEvent) {}
}

impl<S: OnEvent + ?Sized> OnEvent for Arc<S> {
    fn on_event(&self, event: &AuthEvent) {
        (**self).on_event(event);
    }
}

impl<S: OnEvent> OnEvent for Option<S> {
    fn on_event(&self, event: &AuthEvent) {
        if let Some(sink) = self {
            sink.on_event(event);
        }
    }
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: OnEvent),+> OnEvent for ($($name,)+) {
            fn on_event(&self, event: &AuthEvent) {
                #[expect(non_snake_case, reason = "one binding per type")]
                let ($($name,)+) = self;
                // One sink must not keep an event from the next.
                $(shielded(|| $name.on_event(event));)+
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);

/// The sink of a layer or verifier.
#[derive(Clone, Default)]
pub(crate) enum Sink {
    /// `tracing` where it is compiled in, else nobody.
    #[default]
    Usual,
    Own(Arc<dyn OnEvent>),
}

impl Sink {
    pub(crate) fn new(sink: impl OnEvent) -> Self {
        Self::Own(Arc::new(sink))
    }

    pub(crate) fn emit(&self, event: &AuthEvent) {
        match self {
            #[cfg(feature = "tracing")]
            Self::Usual => shielded(|| Tracing.on_event(event)),
            #[cfg(not(feature = "tracing"))]
            Self::Usual => {}
            Self::Own(sink) => shielded(|| sink.on_event(event)),
        }
    }

    /// The event of an accepted request, which is made only for those who take events.
    #[inline]
    pub(crate) fn accepted(&self, caller: &AuthContext) {
        match self {
            #[cfg(feature = "tracing")]
            Self::Usual => shielded(|| trace::accepted(caller)),
            #[cfg(not(feature = "tracing"))]
            Self::Usual => {}
            Self::Own(_) => self.emit(&AuthEvent::Accepted { caller: caller.clone() }),
        }
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}

/// Reports that something was refused for want of a layer, as no layer around it will. Without the
/// feature `tracing` there is nobody to tell.
pub(crate) fn report_missing_layer(error: &AuthError) {
    Sink::default().emit(&AuthEvent::Refused { error: error.clone(), caller: None });
}

/// Calls a sink; a panic in it must not become a refused request.
#[inline]
fn shielded(call: impl FnOnce()) {
    // The sink may be left in an odd state, which is its own business: it is only called again.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(call)) {
        // Dropping it could panic again.
        std::mem::forget(payload);
    }
}
