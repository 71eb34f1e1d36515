use super::store::{REVOCATIONS_AT_ONCE, Store, StoreError};
use crate::revocation::{RevocationCursor, Revocations};

/// How far the revocations of a store are known here.
#[derive(Default)]
pub(super) struct Following(Option<RevocationCursor>);

impl Following {
    /// Reads what was revoked since.
    pub(super) async fn catch_up(
        &mut self,
        store: &dyn Store,
        revocations: &Revocations,
    ) -> Result<(), StoreError> {
        loop {
            let page = store.revocations_after(self.0.as_ref(), REVOCATIONS_AT_ONCE).await?;
            revocations.extend(page.entries.into_iter().map(|entry| entry.revocation));
            self.0 = Some(page.next);
            if !page.has_more {
                return Ok(());
            }
        }
    }
}
