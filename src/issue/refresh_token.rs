//! The form of a refresh token: a place in a family, and the proof that this server named it.

use super::{family::FamilyId, server_keys::Ring};
use crate::{
    crypto::{MacKey, TAG_LEN},
    jws,
    secret::Secret,
};

/// A refresh token, read and proved: this server made it. Whether it is still good is for its
/// family to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RefreshToken {
    pub(super) family: FamilyId,
    pub(super) generation: u64,
}

/// Version, tag of the key, family, generation.
const NAMED_LEN: usize = 1 + 4 + 16 + 8;
const LEN: usize = NAMED_LEN + TAG_LEN;
/// Characters of a token.
const TEXT_LEN: usize = (LEN * 8).div_ceil(6);
const VERSION: u8 = 1;

impl RefreshToken {
    /// Reads a presented token. Nothing is looked up for one that this server did not make.
    pub(super) fn read(keys: &Ring<MacKey>, text: &str) -> Option<Self> {
        if text.len() != TEXT_LEN {
            return None;
        }
        let bytes: [u8; LEN] = jws::decode_to_vec(text)?.try_into().ok()?;
        let (named, proof) = bytes.split_first_chunk::<NAMED_LEN>()?;
        let (version, rest) = named.split_first()?;
        let (tag, rest) = rest.split_first_chunk::<4>()?;
        let (family, rest) = rest.split_first_chunk::<16>()?;
        let is_ours = *version == VERSION && keys.tagged(*tag).any(|key| key.verify(named, proof));
        is_ours.then_some(Self {
            family: FamilyId::from_bytes(*family),
            generation: u64::from_be_bytes(rest.try_into().ok()?),
        })
    }

    /// The token as it is handed out: the same for the same family, generation and key, so that it
    /// can be given again and is never stored.
    pub(super) fn write(self, keys: &Ring<MacKey>) -> Secret<String> {
        let (tag, key) = keys.current();
        let named =
            [&[VERSION][..], &tag, self.family.as_bytes(), &self.generation.to_be_bytes()].concat();
        let proof = key.tag(&named);
        Secret::new(jws::encode([&*named, &proof].concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::{RootKey, ServerKeys};

    fn keys(byte: u8) -> ServerKeys {
        ServerKeys::new(&RootKey::from_bytes([byte; 32]))
    }

    #[test]
    fn a_token_is_read_with_every_key_of_the_ring_and_with_no_other() {
        let token = RefreshToken { family: FamilyId::from_bytes([7; 16]), generation: 5 };
        let old = keys(1);
        let text = token.write(&old.refresh);
        let rotated = keys(2).with_previous(&RootKey::from_bytes([1; 32]));
        assert_eq!(RefreshToken::read(&rotated.refresh, text.expose()), Some(token));
        assert_eq!(RefreshToken::read(&keys(2).refresh, text.expose()), None);
        assert_eq!(RefreshToken::read(&old.refresh, token.write(&rotated.refresh).expose()), None);
    }

    #[test]
    fn no_byte_of_a_token_can_be_changed_and_none_is_optional() {
        let keys = keys(1);
        let token = RefreshToken { family: FamilyId::from_bytes([7; 16]), generation: 5 };
        let text = token.write(&keys.refresh);
        let text = text.expose();
        assert_eq!(text.len(), TEXT_LEN);
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(RefreshToken::read(&keys.refresh, &changed), None, "{at}");
            assert_eq!(RefreshToken::read(&keys.refresh, &text[..at]), None, "{at}");
        }
        for odd in [format!("{text}A"), format!("{text}="), "é".repeat(TEXT_LEN / 2)] {
            assert_eq!(RefreshToken::read(&keys.refresh, &odd), None);
        }
    }
}
