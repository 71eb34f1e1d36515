//! What is demanded of a token, issuer by issuer.

mod check;
mod tenants;
mod token_type;

pub(crate) use self::check::{check, check_time, takes_type};
pub(crate) use self::tenants::Tenants;
pub use self::token_type::TokenType;
use crate::{claims::ScopeClaim, crypto::AlgorithmSet, scope::ImpliedScopes};
use std::{sync::Arc, time::Duration};

/// What is demanded of the tokens of one issuer. Made by [`Issuer`](crate::Issuer) only, so it is sound.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The issuer identifier, compared byte for byte, or the template of several.
    pub(crate) issuer: Arc<str>,
    /// Which issuers the template stands for, if it is one.
    pub(crate) tenants: Option<Tenants>,
    /// The identifiers of this service, one of which the token must name.
    pub(crate) audiences: Audiences,
    pub(crate) algorithms: AlgorithmSet,
    pub(crate) token_type: TokenType,
    /// Only by [`Issuer::danger_id_tokens`](crate::Issuer::danger_id_tokens).
    pub(crate) id_tokens: bool,
    pub(crate) leeway: Duration,
    pub(crate) max_lifetime: Option<Duration>,
    pub(crate) scope_claims: Box<[ScopeClaim]>,
    pub(crate) implied: ImpliedScopes,
    /// Tokens may be revoked, by their session among others: whatever names one must be readable.
    pub(crate) revocable: bool,
}

impl Policy {
    /// Whether a token with this `iss` is one of this issuer: compared code point by code point, no
    /// case, slash or port is normalised (RFC 9068 section 4).
    pub(crate) fn is_of(&self, issuer: &str) -> bool {
        match &self.tenants {
            None => *self.issuer == *issuer,
            Some(tenants) => tenants.take(issuer),
        }
    }
}

/// Which audiences are ours.
#[derive(Debug)]
pub(crate) enum Audiences {
    Named(Box<[Box<str>]>),
    /// Tokens name no audience but their client, one of which must be ours; and `token_use` is
    /// `access`.
    Clients(Box<[Box<str>]>),
    /// Only by [`Issuer::danger_no_audience`](crate::Issuer::danger_no_audience).
    Any,
}
