use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::{
    error::BoxError,
    revocation::{RevocationCursor, RevocationPage},
};

/// What [`RevocationSource::after`] returns.
pub type AskedForPage<'a> =
    Pin<Box<dyn Future<Output = Result<RevocationPage, BoxError>> + Send + 'a>>;

/// Says what was revoked: the store of the issuing side
/// ([`StoreSource`](crate::issue::StoreSource)), or the issuing side itself over HTTP.
pub trait RevocationSource: Send + Sync + 'static {
    /// What was revoked after this place, or from the start, as
    /// [`Store::revocations_after`](crate::issue::Store::revocations_after) says. If that is nothing,
    /// waits for at most so long for something; the page may be empty then.
    ///
    /// What was revoked before this was called is in the answer or follows on the next pages.
    fn after<'a>(&'a self, after: Option<&'a RevocationCursor>, wait: Duration)
    -> AskedForPage<'a>;
}

impl<S: RevocationSource + ?Sized> RevocationSource for Arc<S> {
    fn after<'a>(
        &'a self,
        after: Option<&'a RevocationCursor>,
        wait: Duration,
    ) -> AskedForPage<'a> {
        (**self).after(after, wait)
    }
}
