//! Ways to demand less than the standards do. Every name contains `danger`, so that a reviewer
//! finds all uses with one search.

use super::Issuer;

impl Issuer {
    /// Takes ID tokens for access tokens (OpenID Connect Core section 2), together with
    /// [`TokenType::AnyJwt`](crate::policy::TokenType::AnyJwt): claims such as `nonce` are no reason
    /// to refuse then.
    ///
    /// An ID token tells a client who logged in; whoever gets hold of one, and every client does,
    /// can use it here. Only for issuers that give services nothing else, such as Google.
    pub fn danger_id_tokens(mut self) -> Self {
        self.id_tokens = true;
        self
    }

    /// Accepts tokens for any audience, or for none.
    ///
    /// A token that the issuer gave to any other service then opens this one (RFC 8725 section
    /// 3.9). Only for an issuer that serves this service alone.
    pub fn danger_no_audience(mut self) -> Self {
        self.any_audience = true;
        self
    }
}
