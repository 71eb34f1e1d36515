//! Who takes part, in the order of the table. Each file sets one of them up as well as it can be:
//! keys in memory and read once, the one algorithm, `exp`, `iss` and `aud` checked.

mod aliri_tower;
mod answer;
mod axum_jose;
mod axum_jwt_auth;
mod bare;
mod huskarl_axum;
mod jwt_authorizer;
mod keys;
mod oauth_resource_server;
mod ours;
mod signature;
mod tower_oauth2_resource_server;

use crate::{path::Case, shared::Contender};

/// `None` from those who cannot do the algorithm.
type Build = fn(&Case<'_>) -> Option<Contender>;

pub(crate) const BY_HAND: &str = "by hand";

pub(crate) const CONTENDERS: &[(&str, Build)] = &[
    ("bare service", bare::service),
    ("bare axum handler", bare::handler),
    ("signature alone", signature::alone),
    ("signature and claims alone", signature::and_claims),
    ("answer alone", answer::alone),
    (BY_HAND, bare::by_hand),
    ("tower-bearer", ours::with_claims),
    ("tower-bearer, no claims type", ours::without_claims),
    ("tower-bearer, cached", ours::cached),
    ("jwt-authorizer", jwt_authorizer::layer),
    ("tower-oauth2-resource-server", tower_oauth2_resource_server::layer),
    ("axum-jwt-auth", axum_jwt_auth::extractor),
    ("aliri_tower", aliri_tower::layer),
    ("axum-jose", axum_jose::layer),
    ("oauth-resource-server", oauth_resource_server::layer),
    ("huskarl-axum", huskarl_axum::layer),
];

/// `jsonwebtoken` 10 and 11 take the AWS-LC backend, the faster of theirs; of version 10 both are
/// compiled in, as `axum-jwt-auth` asks for one and `axum-jose` for the other.
#[expect(clippy::disallowed_methods, reason = "this is the application, and it may choose")]
pub(crate) fn choose_cryptography() {
    jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default().expect("no other provider");
    jsonwebtoken_10::crypto::aws_lc::DEFAULT_PROVIDER.install_default().expect("no other provider");
}

/// What is built asynchronously, though nothing is fetched.
fn built<F: Future>(future: F) -> F::Output {
    tokio::runtime::Handle::current().block_on(future)
}
