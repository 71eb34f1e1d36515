//! [`Authenticate`]: the one seam between the layers and whatever decides about a token.

use std::{fmt, future::Future, pin::Pin};

use crate::{
    error::AuthError,
    event::Sink,
    token::{PresentedToken, RequestHead},
    verified::AuthContext,
};

/// Decides about the token of a request.
///
/// [`Verifier`](crate::Verifier) implements it. An implementation of your own can choose among
/// verifiers or wait for something first; it cannot make an [`AuthContext`] for a caller by
/// itself. One value decides for all services of a layer.
///
/// ```
/// use tower_bearer::{Verifier, authenticate::{Attempt, Authenticate, Events}};
/// use tower_bearer::token::{PresentedToken, RequestHead};
///
/// /// Partners have their own issuers.
/// struct ByHost { partners: Verifier, everybody: Verifier }
///
/// impl Authenticate for ByHost {
///     fn authenticate(&self, token: PresentedToken<'_>, head: &RequestHead<'_>) -> Attempt {
///         match head.uri().host() {
///             Some("partners.example.com") => self.partners.authenticate(token, head),
///             _ => self.everybody.authenticate(token, head),
///         }
///     }
///
///     /// Both have the same sink here.
///     fn events(&self) -> Events {
///         self.everybody.events()
///     }
/// }
/// ```
pub trait Authenticate: Send + Sync + 'static {
    /// Verifies the token, at once if that is possible without waiting.
    ///
    /// Any failure must be an error: the layer calls the inner service for `Ok` only. An
    /// [anonymous](AuthContext::anonymous) caller passes a layer that is optional, and no other.
    fn authenticate(&self, token: PresentedToken<'_>, head: &RequestHead<'_>) -> Attempt;

    /// Where the events of a layer go unless it is given
    /// [another sink](crate::auth::AuthLayerBuilder::on_event): those of a [`Verifier`](crate::Verifier)
    /// inside, which is to be handed on, or else `tracing` where that feature is on.
    fn events(&self) -> Events {
        Events(Sink::default())
    }
}

/// Where events go, as a [`Verifier`](crate::Verifier) was told. Opaque; see
/// [`Authenticate::events`].
#[derive(Clone, Debug)]
pub struct Events(pub(crate) Sink);

/// The outcome of [`Authenticate::authenticate`].
pub enum Attempt {
    /// Decided, without waiting for anything.
    Ready(Result<AuthContext, AuthError>),
    /// Something has to be waited for. Dropping the future gives the attempt up.
    Later(Pin<Box<dyn Future<Output = Result<AuthContext, AuthError>> + Send>>),
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(result) => f.debug_tuple("Ready").field(result).finish(),
            Self::Later(_) => f.write_str("Later(..)"),
        }
    }
}
