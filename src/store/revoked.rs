//! Revocations, put together from what is stored.

use crate::{
    revocation::{Revocation, RevocationKind},
    time::UnixTime,
};

/// The revocation of these parts; `None` if a kind that has a cut-off is without one.
pub(super) fn revocation(
    kind: RevocationKind,
    id: &str,
    cut_off: Option<UnixTime>,
    until: UnixTime,
) -> Option<Revocation> {
    Some(match kind {
        RevocationKind::Token => Revocation::token(id, until),
        RevocationKind::Family => Revocation::family(id, until),
        RevocationKind::Client => Revocation::client(id, cut_off?, until),
        RevocationKind::Issuer => Revocation::issuer(cut_off?, until),
    })
}
