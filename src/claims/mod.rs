//! The claims of a token, read in one pass: the registered ones (RFC 7519 section 4.1, RFC 9068
//! section 2.2), the scopes, and the application's own type.
//!
//! The application's type is anything that `serde` can deserialize from the claims as a JSON
//! object. It sees *all* members, the registered ones too. `flatten`, maps, `()` and enums that
//! are tagged by a member work; `deny_unknown_fields` does not fit, as tokens may always carry
//! more claims (RFC 7519 section 4). A member that stands twice in its object, at whatever depth,
//! makes the token malformed, whether anybody reads it or not.
//!
//! Where the scopes stand is a [`ScopeClaim`].

mod audience;
mod pool;
mod reader;
mod registered;
mod scopes;

pub use self::scopes::ScopeClaim;
pub(crate) use self::{
    reader::{Noted, issuer_of, read},
    registered::{Registered, SessionId},
};
