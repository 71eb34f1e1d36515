use crate::key::{KeySet, LiveKeys, VerifyingKey};
#[cfg(feature = "remote-keys")]
use crate::remote_keys::RemoteKeys;

/// Where the keys of an issuer come from. Anything that can be one is taken by
/// [`Issuer::keys`](crate::Issuer::keys).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum KeySource {
    /// Keys that are at hand.
    Fixed(KeySet),
    /// Keys that an issuing side in the same process replaces.
    Live(LiveKeys),
    /// Keys that are fetched.
    #[cfg(feature = "remote-keys")]
    Remote(RemoteKeys),
}

impl From<KeySet> for KeySource {
    fn from(keys: KeySet) -> Self {
        Self::Fixed(keys)
    }
}

impl From<LiveKeys> for KeySource {
    fn from(keys: LiveKeys) -> Self {
        Self::Live(keys)
    }
}

impl From<VerifyingKey> for KeySource {
    fn from(key: VerifyingKey) -> Self {
        Self::Fixed(key.into())
    }
}

impl<const N: usize> From<[VerifyingKey; N]> for KeySource {
    fn from(keys: [VerifyingKey; N]) -> Self {
        Self::Fixed(keys.into())
    }
}

impl From<Vec<VerifyingKey>> for KeySource {
    fn from(keys: Vec<VerifyingKey>) -> Self {
        Self::Fixed(keys.into())
    }
}

#[cfg(feature = "remote-keys")]
impl From<RemoteKeys> for KeySource {
    fn from(keys: RemoteKeys) -> Self {
        Self::Remote(keys)
    }
}
