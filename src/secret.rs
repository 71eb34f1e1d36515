//! [`Secret`]: bytes that are never printed, and vanish when dropped.

use std::fmt;

use zeroize::Zeroize;

/// A secret: redacted in `Debug`, overwritten with zeros when dropped.
#[derive(Clone)]
pub(crate) struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes the secret over.
    pub(crate) fn new(secret: T) -> Self {
        Self(secret)
    }

    /// The secret itself; every use can be found by this name.
    pub(crate) fn expose(&self) -> &T {
        &self.0
    }

    /// The secret itself, to be filled in or changed in place.
    #[cfg(all(
        any(feature = "issue", feature = "test-util"),
        any(feature = "aws-lc-rs", feature = "rust-crypto")
    ))]
    pub(crate) fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}
