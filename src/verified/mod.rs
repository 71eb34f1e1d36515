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

use self::context::{AnyRecord, Record};
pub use self::{
    context::AuthContext,
    grant::{Grant, Principal},
};

/// A verified token with the application's claims; dereferences to its [`Grant`].
///
/// `C` is the claims type of the verifier. `()` asks for none, and goes with every verifier. Cheap
/// to clone.
pub struct Verified<C: 'static = ()>(Proof<C>);

enum Proof<C: 'static> {
    /// As the verifier made it.
    Typed(Arc<Record<C>>),
    /// For readers that do not ask for the application's claims, whatever their type is.
    Untyped(Arc<dyn AnyRecord>, &'static C),
}

impl<C: Send + Sync> Verified<C> {
    /// The one constructor; called by the verifier's pipeline after the last check.
    pub(crate) fn new(grant: Grant, custom: C) -> Self {
        Self(Proof::Typed(Arc::new(Record { grant, custom })))
    }
}

impl<C> Verified<C> {
    /// The claims in the application's own type.
    #[must_use]
    pub fn custom(&self) -> &C {
        match &self.0 {
            Proof::Typed(record) => &record.custom,
            Proof::Untyped(_, nothing) => nothing,
        }
    }

    /// The part that does not depend on the claims type.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        match &self.0 {
            Proof::Typed(record) => &record.grant,
            Proof::Untyped(record, _) => record.grant(),
        }
    }
}

impl<C> Clone for Verified<C> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Proof::Typed(record) => Proof::Typed(Arc::clone(record)),
            Proof::Untyped(record, nothing) => Proof::Untyped(Arc::clone(record), nothing),
        })
    }
}

impl<C> Deref for Verified<C> {
    type Target = Grant;

    fn deref(&self) -> &Grant {
        self.grant()
    }
}

/// Shows the grant; the application's claims may be personal data.
impl<C> fmt::Debug for Verified<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verified").field(self.grant()).finish()
    }
}
