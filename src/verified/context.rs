use std::{any::Any, fmt, sync::Arc};

use http::Extensions;

use super::{Grant, Proof, Verified};
use crate::error::{AuthError, AuthErrorKind};

/// What the `AuthLayer` puts into the request extensions: who the caller is, or that the request
/// was let through without credentials.
///
/// ```
/// use tower_bearer::AuthContext;
///
/// fn caller<B>(request: &http::Request<B>) -> Option<&str> {
///     request.extensions().get::<AuthContext>()?.grant()?.subject()
/// }
/// # assert_eq!(caller(&http::Request::new(())), None);
/// ```
#[derive(Clone)]
pub struct AuthContext(Option<Arc<dyn AnyRecord>>);

impl AuthContext {
    /// What the `AuthLayer` left in the extensions of a request.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::LayerMissing`] if no layer ran: a wiring mistake, answered with 500.
    pub fn of(extensions: &Extensions) -> Result<&Self, AuthError> {
        extensions.get().ok_or_else(|| AuthErrorKind::LayerMissing.into())
    }

    /// A request without credentials that optional authentication lets through.
    #[must_use]
    pub fn anonymous() -> Self {
        Self(None)
    }

    /// Whether the request was let through without credentials.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.0.is_none()
    }

    /// What it takes, in bytes, if the application's type keeps all of the claims as text.
    #[cfg(feature = "cache")]
    pub(crate) fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |record| record.bytes())
    }

    /// The token that a verifier with this claims type remembered.
    pub(crate) fn recalled<C: Send + Sync + 'static>(self) -> Option<Verified<C>> {
        typed(self.0?)
    }

    /// The grant of the verified token, or nothing for an anonymous request.
    #[must_use]
    pub fn grant(&self) -> Option<&Grant> {
        self.0.as_ref().map(|record| record.grant())
    }

    /// The verified token with claims of type `C`, or nothing for an anonymous request. `()` asks
    /// for no claims, and goes with every verifier.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::ClaimsTypeMismatch`] if the verifier produces another type: a wiring
    /// mistake, answered with 500.
    pub fn verified<C: Send + Sync + 'static>(&self) -> Result<Option<Verified<C>>, AuthError> {
        let Some(record) = &self.0 else {
            return Ok(None);
        };
        let record = Arc::clone(record);
        let nothing: &dyn Any = &();
        let verified = match nothing.downcast_ref() {
            Some(nothing) => Some(Verified(Proof::Untyped(record, nothing))),
            None => typed(record),
        };
        verified.map(Some).ok_or_else(|| AuthErrorKind::ClaimsTypeMismatch.into())
    }
}

/// A record of a verifier with this claims type.
fn typed<C: Send + Sync + 'static>(record: Arc<dyn AnyRecord>) -> Option<Verified<C>> {
    let record: Arc<dyn Any + Send + Sync> = record;
    record.downcast().ok().map(|record| Verified(Proof::Typed(record)))
}

impl<C: Send + Sync + 'static> From<Verified<C>> for AuthContext {
    fn from(verified: Verified<C>) -> Self {
        Self(Some(match verified.0 {
            Proof::Typed(record) => record,
            Proof::Untyped(record, _) => record,
        }))
    }
}

impl fmt::Debug for AuthContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.grant() {
            Some(grant) => f.debug_tuple("AuthContext").field(grant).finish(),
            None => f.write_str("AuthContext(anonymous)"),
        }
    }
}

/// One allocation for all that a request's extensions hold.
pub(super) struct Record<C> {
    pub(super) grant: Grant,
    pub(super) custom: C,
}

/// A [`Record`] whose claims type is forgotten.
pub(super) trait AnyRecord: Any + Send + Sync {
    fn grant(&self) -> &Grant;
    #[cfg(feature = "cache")]
    fn bytes(&self) -> usize;
}

impl<C: Send + Sync + 'static> AnyRecord for Record<C> {
    fn grant(&self) -> &Grant {
        &self.grant
    }

    #[cfg(feature = "cache")]
    fn bytes(&self) -> usize {
        let of_application = self.grant.scopes().text().len();
        size_of::<Self>() + self.grant.heap_bytes() + of_application
    }
}
