//! What is demanded of a token, issuer by issuer.

mod check;
mod token_type;

pub(crate) use self::check::{check, check_time, takes_type};
pub use self::token_type::TokenType;
use crate::{claims::ScopeClaim, crypto::AlgorithmSet, scope::ImpliedScopes};
use std::{sync::Arc, time::Duration};

/// What is demanded of the tokens of one issuer. Made by [`Issuer`](crate::Issuer) only, so it is sound.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The issuer identifier, compared byte for byte.
    pub(crate) issuer: Arc<str>,
    /// The identifiers of this service, one of which the token must name.
    pub(crate) audiences: Audiences,
    pub(crate) algorithms: AlgorithmSet,
    pub(crate) token_type: TokenType,
    pub(crate) leeway: Duration,
    pub(crate) max_lifetime: Option<Duration>,
    pub(crate) scope_claims: Box<[ScopeClaim]>,
    pub(crate) implied: ImpliedScopes,
}

/// Which audiences are ours.
#[derive(Debug)]
pub(crate) enum Audiences {
    Named(Box<[Box<str>]>),
    /// Only by [`Issuer::danger_no_audience`](crate::Issuer::danger_no_audience).
    Any,
}
