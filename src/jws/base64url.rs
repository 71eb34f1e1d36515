use std::mem::MaybeUninit;

use base64_simd::{AsOut as _, URL_SAFE_NO_PAD};

/// Room for a decoded text: on the stack for usual sizes, on the heap beyond.
pub(crate) struct Scratch<const N: usize> {
    stack: [MaybeUninit<u8>; N],
    heap: Vec<u8>,
}

impl<const N: usize> Scratch<N> {
    pub(crate) const fn new() -> Self {
        Self { stack: [MaybeUninit::uninit(); N], heap: Vec::new() }
    }
}

/// Decodes base64url strictly: no padding, no other characters, no stray bits at the end (RFC 7515
/// section 2; two texts never decode to the same bytes).
pub(crate) fn decode<'s, const N: usize>(
    text: &[u8],
    scratch: &'s mut Scratch<N>,
) -> Option<&'s [u8]> {
    // Three bytes for four characters, rounded up.
    let most = text.len() / 4 * 3 + 3;
    let room = if most <= N {
        scratch.stack.as_mut_slice().as_out()
    } else {
        scratch.heap.resize(most, 0);
        scratch.heap.as_mut_slice().as_out()
    };
    let decoded = URL_SAFE_NO_PAD.decode(text, room).ok()?;
    Some(decoded)
}

/// [`decode`] into a vector, for what is not on the path of a request.
pub(crate) fn decode_to_vec(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}

/// Base64url without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_is_strict() {
        assert_eq!(decode_to_vec("QQ").as_deref(), Some(&b"A"[..]));
        // Padding, spaces, the other alphabet, stray trailing bits, an impossible length.
        for text in
            ["QQ==", "QQ=", "Q Q", "QQ\n", "+/+/", "QR", "QUJ", "A", "QUFBQ", "\u{e4}\u{e4}"]
        {
            if text == "QUJ" {
                continue; // "QUI" is the strict form of "AB"; checked below.
            }
            assert_eq!(decode_to_vec(text), None, "{text:?}");
        }
        assert_eq!(decode_to_vec("QUI").as_deref(), Some(&b"AB"[..]));
        assert_eq!(decode_to_vec("QUJ"), None);
    }

    #[test]
    fn long_texts_move_to_the_heap() {
        let bytes = vec![7; 500];
        let text = encode(&bytes);
        assert_eq!(decode(text.as_bytes(), &mut Scratch::<64>::new()), Some(&bytes[..]));
        assert_eq!(decode(text.as_bytes(), &mut Scratch::<1024>::new()), Some(&bytes[..]));
    }
}
