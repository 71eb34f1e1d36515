//! [`Issuer`]: one trusted issuer, as an application describes it.

mod builder;
mod danger;

pub use self::builder::Issuer;
