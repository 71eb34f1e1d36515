//! [`Issuer`]: one trusted issuer, as an application describes it.

mod builder;
mod danger;
mod source;

pub(crate) use self::builder::Source;
pub use self::{builder::Issuer, source::KeySource};
