/// A key for HMAC-SHA-256 (RFC 2104), prepared once. Whatever backend there is computes it; without
/// any, no tag is made and none holds.
pub(crate) struct MacKey(Prepared);

#[cfg(feature = "aws-lc-rs")]
type Prepared = aws_lc_rs::hmac::Key;
#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
type Prepared = hmac::Hmac<sha2::Sha256>;
#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
type Prepared = [u8; 0];

/// Bytes of a tag.
pub(crate) const TAG_LEN: usize = 32;

impl MacKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(prepare(key))
    }

    /// The tag of a message.
    pub(crate) fn tag(&self, message: &[u8]) -> [u8; TAG_LEN] {
        tag(&self.0, message)
    }

    /// Whether the tag is that of the message; compared in constant time.
    pub(crate) fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        verify(&self.0, message, tag)
    }
}

/// Whether two tags, or hashes of the same length, are the same; compared in constant time.
pub(crate) fn is_same_tag(one: &[u8; TAG_LEN], other: &[u8; TAG_LEN]) -> bool {
    let differing = one.iter().zip(other).fold(0, |differing, (a, b)| differing | (a ^ b));
    std::hint::black_box(differing) == 0
}

#[cfg(feature = "aws-lc-rs")]
fn prepare(key: &[u8; 32]) -> Prepared {
    Prepared::new(aws_lc_rs::hmac::HMAC_SHA256, key)
}

#[cfg(feature = "aws-lc-rs")]
fn tag(key: &Prepared, message: &[u8]) -> [u8; TAG_LEN] {
    let mut bytes = [0; TAG_LEN];
    bytes.copy_from_slice(aws_lc_rs::hmac::sign(key, message).as_ref());
    bytes
}

#[cfg(feature = "aws-lc-rs")]
fn verify(key: &Prepared, message: &[u8], tag: &[u8]) -> bool {
    aws_lc_rs::hmac::verify(key, message, tag).is_ok()
}

#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
fn prepare(key: &[u8; 32]) -> Prepared {
    use hmac::digest::KeyInit as _;
    // As long as the hash or shorter than its block: any length does.
    let mut block = hmac::digest::Key::<Prepared>::default();
    block[..key.len()].copy_from_slice(key);
    Prepared::new(&block)
}

#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
fn tag(key: &Prepared, message: &[u8]) -> [u8; TAG_LEN] {
    use hmac::Mac as _;
    key.clone().chain_update(message).finalize().into_bytes().into()
}

#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
fn verify(key: &Prepared, message: &[u8], tag: &[u8]) -> bool {
    use hmac::Mac as _;
    key.clone().chain_update(message).verify_slice(tag).is_ok()
}

#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
fn prepare(_key: &[u8; 32]) -> Prepared {
    []
}

#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
fn tag(_key: &Prepared, _message: &[u8]) -> [u8; TAG_LEN] {
    [0; TAG_LEN]
}

#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
fn verify(_key: &Prepared, _message: &[u8], _tag: &[u8]) -> bool {
    false
}

#[cfg(all(test, any(feature = "aws-lc-rs", feature = "rust-crypto")))]
mod tests {
    use super::*;

    /// The key of RFC 4231 test case 1, filled up with zeros as HMAC does with short keys.
    #[test]
    fn the_tag_is_that_of_rfc_4231() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let tag = MacKey::new(&key).tag(b"Hi There");
        assert_eq!(
            tag[..8],
            [0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53],
            "RFC 4231 section 4.2"
        );
        assert!(MacKey::new(&key).verify(b"Hi There", &tag));
        assert!(!MacKey::new(&key).verify(b"Hi there", &tag));
        assert!(!MacKey::new(&key).verify(b"Hi There", &tag[..16]));
    }
}
