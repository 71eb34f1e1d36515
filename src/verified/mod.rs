//! What verification yields: [`Verified<C>`], the proof that a token was verified; the [`Grant`] in
//! it; and the [`AuthContext`] that a request carries.
//!
//! Only a [`Verifier`](crate::Verifier) makes a `Verified`, so whoever holds one need not ask.
//!
//! ```compile_fail
//! let forged: tower_bearer::Verified<()> = Default::default();
//! ```

mod context;
mod grant;

use std::{fmt, ops::Deref, sync::Arc};

use self::context::Record;
pub use self::{
    context::AuthContext,
    grant::{Grant, Principal},
};

/// A verified token with the application's claims; dereferences to its [`Grant`].
///
/// Cheap to clone.
pub struct Verified<C = ()>(Arc<Record<C>>);

impl<C: Send + Sync + 'static> Verified<C> {
    /// The one constructor; called by the verifier's pipeline after the last check.
    pub(crate) fn new(grant: Grant, custom: C) -> Self {
        Self(Arc::new(Record { grant, custom }))
    }

    /// The claims in the application's own type.
    #[must_use]
    pub fn custom(&self) -> &C {
        &self.0.custom
    }

    /// The part that does not depend on the claims type.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.0.grant
    }
}

impl<C> Clone for Verified<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> Deref for Verified<C> {
    type Target = Grant;

    fn deref(&self) -> &Grant {
        &self.0.grant
    }
}

/// Shows the grant; the application's claims may be personal data.
impl<C> fmt::Debug for Verified<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verified").field(&self.0.grant).finish()
    }
}
