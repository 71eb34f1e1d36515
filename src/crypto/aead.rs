use super::random::{NoRandom, random};
use crate::secret::Secret;

/// A key for AES-256-GCM (NIST SP 800-38D). Whatever backend there is computes it; without any,
/// nothing is sealed and nothing opens.
pub(crate) struct AeadKey(Prepared);

#[cfg(feature = "aws-lc-rs")]
type Prepared = Option<aws_lc_rs::aead::LessSafeKey>;
#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
type Prepared = aes_gcm::Aes256Gcm;
#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
type Prepared = [u8; 0];

/// Bytes of a nonce. It is random, which is sound for far more texts under one key than an issuer
/// has signing keys (2^32, SP 800-38D section 8.3).
const NONCE_LEN: usize = 12;

impl AeadKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(prepare(key))
    }

    /// Encrypts: nonce, ciphertext, tag. What is sealed only opens with the same `context`.
    pub(crate) fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, NoRandom> {
        let nonce = random::<NONCE_LEN>()?;
        let sealed = seal(&self.0, nonce, context, plain).ok_or(NoRandom)?;
        Ok([&nonce, &*sealed].concat())
    }

    /// Decrypts what was sealed with this key for this context, and nothing else.
    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        open(&self.0, *nonce, context, sealed)
    }
}

#[cfg(feature = "aws-lc-rs")]
fn prepare(key: &[u8; 32]) -> Prepared {
    let key = aws_lc_rs::aead::UnboundKey::new(&aws_lc_rs::aead::AES_256_GCM, key).ok()?;
    Some(aws_lc_rs::aead::LessSafeKey::new(key))
}

#[cfg(feature = "aws-lc-rs")]
fn seal(key: &Prepared, nonce: [u8; 12], context: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    use aws_lc_rs::aead::{Aad, Nonce};
    // Room for the tag, so that nothing is left behind in memory that was too small.
    let mut bytes = Vec::with_capacity(plain.len() + 16);
    bytes.extend_from_slice(plain);
    let nonce = Nonce::assume_unique_for_key(nonce);
    key.as_ref()?.seal_in_place_append_tag(nonce, Aad::from(context), &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(feature = "aws-lc-rs")]
fn open(key: &Prepared, nonce: [u8; 12], context: &[u8], sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
    use aws_lc_rs::aead::{Aad, Nonce};
    let mut bytes = Secret::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let plain =
        key.as_ref()?.open_in_place(nonce, Aad::from(context), bytes.expose_mut()).ok()?.len();
    bytes.expose_mut().truncate(plain);
    Some(bytes)
}

#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
fn prepare(key: &[u8; 32]) -> Prepared {
    use aes_gcm::KeyInit as _;
    Prepared::new(key.into())
}

#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
fn seal(key: &Prepared, nonce: [u8; 12], context: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    use aes_gcm::aead::{Aead as _, Payload};
    key.encrypt(&nonce.into(), Payload { msg: plain, aad: context }).ok()
}

#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
fn open(key: &Prepared, nonce: [u8; 12], context: &[u8], sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
    use aes_gcm::aead::{Aead as _, Payload};
    key.decrypt(&nonce.into(), Payload { msg: sealed, aad: context }).ok().map(Secret::new)
}

#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
fn prepare(_key: &[u8; 32]) -> Prepared {
    []
}

#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
fn seal(_key: &Prepared, _nonce: [u8; 12], _context: &[u8], _plain: &[u8]) -> Option<Vec<u8>> {
    None
}

#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
fn open(
    _key: &Prepared,
    _nonce: [u8; 12],
    _context: &[u8],
    _sealed: &[u8],
) -> Option<Secret<Vec<u8>>> {
    None
}

#[cfg(all(test, any(feature = "aws-lc-rs", feature = "rust-crypto")))]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_and_context_only() {
        let (key, other) = (AeadKey::new(&[1; 32]), AeadKey::new(&[2; 32]));
        let sealed = key.seal(b"row 1", b"private").unwrap();
        assert_eq!(sealed.len(), 12 + 7 + 16);
        assert_ne!(sealed, key.seal(b"row 1", b"private").unwrap());
        assert_eq!(key.open(b"row 1", &sealed).unwrap().expose(), b"private");
        assert!(key.open(b"row 2", &sealed).is_none());
        assert!(other.open(b"row 1", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(b"row 1", &changed).is_none(), "byte {at}");
        }
        for len in 0..sealed.len() {
            assert!(key.open(b"row 1", &sealed[..len]).is_none(), "{len} bytes");
        }
    }

    /// Test case 13 and 14 of the GCM specification by McGrew and Viega, as both backends must
    /// agree.
    #[test]
    fn an_empty_and_a_zero_block_have_the_tags_of_the_specification() {
        let key = AeadKey::new(&[0; 32]);
        let sealed = seal(&key.0, [0; 12], b"", b"").unwrap();
        assert_eq!(sealed[..4], [0x53, 0x0f, 0x8a, 0xfb]);
        let sealed = seal(&key.0, [0; 12], b"", &[0; 16]).unwrap();
        assert_eq!(sealed[..4], [0xce, 0xa7, 0x40, 0x3d]);
        assert_eq!(sealed[16..20], [0xd0, 0xd1, 0xc8, 0xa7]);
    }
}
