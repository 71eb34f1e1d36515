//! Ways to demand less than the standards do. Every name contains `danger`, so that a reviewer
//! finds all uses with one search.

use super::Issuer;

impl Issuer {
    /// Accepts tokens for any audience, or for none.
    ///
    /// A token that the issuer gave to any other service then opens this one (RFC 8725 section
    /// 3.9). Only for an issuer that serves this service alone.
    pub fn danger_no_audience(mut self) -> Self {
        self.any_audience = true;
        self
    }
}
