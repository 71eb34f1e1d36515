//! Scopes: one [`ScopeToken`], the [`ScopeSet`] that a token grants, and the [`Requirement`] that a
//! guard demands.
//!
//! A scope token is one or more characters of `%x21 / %x23-5B / %x5D-7E` (RFC 6749 section 3.3).
//! Tokens are compared byte for byte: `read`, `Read` and `read:all` have nothing to do with each
//! other. What one scope *implies* about others is said in an explicit table on the
//! [`Issuer`](crate::Issuer), never guessed from the spelling.
//!
//! ```
//! use tower_bearer::{scope, scope::{Requirement, ScopeSet}};
//!
//! let need = Requirement::any([
//!     Requirement::from(scope!("reports:admin")),
//!     Requirement::all([scope!("reports:read"), scope!("tenant:all")]),
//! ]);
//!
//! assert!(need.is_met_by(&ScopeSet::parse("reports:admin")?));
//! assert!(need.is_met_by(&ScopeSet::parse("tenant:all reports:read")?));
//! assert!(!need.is_met_by(&ScopeSet::parse("reports:read")?));
//! assert!(!Requirement::default().is_met_by(&ScopeSet::parse("reports:admin")?)); // denies all
//! # Ok::<(), tower_bearer::scope::ScopeError>(())
//! ```
//!
//! The characters of a scope are checked when the code is compiled:
//!
//! ```compile_fail
//! let two = tower_bearer::scope!("reports read");
//! ```

mod implied;
mod macros;
mod requirement;
mod set;
mod table;
mod token;

pub(crate) use self::{implied::ImpliedScopes, set::Spans, token::is_scope_token};
pub use self::{
    macros::{AnyOf, Scopes},
    requirement::Requirement,
    set::ScopeSet,
    token::{ScopeError, ScopeToken},
};
