use super::KeyRejected;

/// Random bytes from the generator of the operating system, or of AWS-LC, which is seeded by it.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// The system gives no random bytes.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the system gives no random bytes")]
pub(crate) struct NoRandom;

impl From<NoRandom> for KeyRejected {
    fn from(_: NoRandom) -> Self {
        Self("the system gives no random bytes")
    }
}

#[cfg(feature = "aws-lc-rs")]
fn fill(bytes: &mut [u8]) -> Result<(), NoRandom> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| NoRandom)
}

#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
fn fill(bytes: &mut [u8]) -> Result<(), NoRandom> {
    use rand_core::RngCore as _;
    rand_core::OsRng.try_fill_bytes(bytes).map_err(|_| NoRandom)
}

#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
fn fill(_bytes: &mut [u8]) -> Result<(), NoRandom> {
    Err(NoRandom)
}
