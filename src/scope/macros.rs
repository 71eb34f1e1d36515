use std::marker::PhantomData;

use super::{requirement::Requirement, set::ScopeSet};

/// Scopes as a type, for [`Scoped`](crate::Scoped) handlers: one of [`scopes!`](crate::scopes!), a
/// tuple (all of), or [`AnyOf`] a tuple.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name scopes",
    label = "not declared with `scopes!`, not a tuple of such types, not `AnyOf<(..)>`",
    note = "declare it: `tower_bearer::scopes! {{ pub ReportsRead = \"reports:read\"; }}`"
)]
pub trait Scopes: 'static {
    /// Whether these scopes satisfy the type.
    fn are_met_by(granted: &ScopeSet) -> bool;

    /// The same as a value.
    fn requirement() -> Requirement;
}

/// One of several scopes is enough: `AnyOf<(ReportsRead, Admin)>`.
#[derive(Debug)]
pub struct AnyOf<T>(PhantomData<fn() -> T>);

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: Scopes),+> Scopes for ($($name,)+) {
            fn are_met_by(granted: &ScopeSet) -> bool {
                $($name::are_met_by(granted))&&+
            }

            fn requirement() -> Requirement {
                Requirement::all([$($name::requirement()),+])
            }
        }

        impl<$($name: Scopes),+> Scopes for AnyOf<($($name,)+)> {
            fn are_met_by(granted: &ScopeSet) -> bool {
                $($name::are_met_by(granted))||+
            }

            fn requirement() -> Requirement {
                Requirement::any([$($name::requirement()),+])
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);

/// A [`ScopeToken`](crate::scope::ScopeToken) whose characters are checked at compile time.
///
/// ```
/// let read = tower_bearer::scope!("reports:read");
/// assert_eq!(read.as_str(), "reports:read");
/// ```
#[macro_export]
macro_rules! scope {
    ($token:expr) => {
        const { $crate::scope::ScopeToken::from_static($token) }
    };
}

/// Declares scopes as types, for handlers that want the proof in their signature.
///
/// The characters are checked at compile time. Each type is an uninhabited marker that implements
/// [`Scopes`](crate::scope::Scopes).
///
/// ```
/// use tower_bearer::scope::{ScopeSet, Scopes};
///
/// tower_bearer::scopes! {
///     /// May read reports.
///     pub ReportsRead = "reports:read";
///     pub ReportsWrite = "reports:write";
/// }
///
/// assert!(ReportsRead::are_met_by(&ScopeSet::parse("reports:read")?));
/// assert!(!<(ReportsRead, ReportsWrite)>::are_met_by(&ScopeSet::parse("reports:read")?));
/// # Ok::<(), tower_bearer::scope::ScopeError>(())
/// ```
///
/// ```compile_fail
/// tower_bearer::scopes! { ReportsRead = "reports read"; }
/// ```
#[macro_export]
macro_rules! scopes {
    ($($(#[$attribute:meta])* $visibility:vis $name:ident = $token:expr);+ $(;)?) => {$(
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visibility enum $name {}

        impl $crate::scope::Scopes for $name {
            fn are_met_by(granted: &$crate::scope::ScopeSet) -> bool {
                granted.contains($token)
            }

            fn requirement() -> $crate::scope::Requirement {
                $crate::scope!($token).into()
            }
        }

        // Checked here, so that a scope which no handler uses yet is checked too.
        const _: $crate::scope::ScopeToken = $crate::scope!($token);
    )+};
}
