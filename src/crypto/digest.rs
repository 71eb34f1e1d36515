/// SHA-256 by whatever backend there is; `None` without any.
pub(crate) fn sha256(data: &[u8]) -> Option<[u8; 32]> {
    #[cfg(feature = "aws-lc-rs")]
    {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, data);
        digest.as_ref().try_into().ok()
    }
    #[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
    {
        use sha2::Digest as _;
        Some(sha2::Sha256::digest(data).into())
    }
    #[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
    {
        let _ = data;
        None
    }
}
