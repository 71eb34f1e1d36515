//! An ECDSA signature as DER: AWS-LC takes no other form. The conversion inside `aws-lc-rs` makes
//! two big numbers and serializes them again, which costs about 1 % of a P-256 verification.

/// Bytes of the longest one: two numbers of P-521, with 2 bytes of header and perhaps a sign byte
/// each, and 3 bytes of header.
const MAX_LEN: usize = 3 + 2 * (2 + 1 + 66);

/// An `Ecdsa-Sig-Value` (RFC 3279 section 2.2.3).
pub(super) struct DerSignature {
    bytes: [u8; MAX_LEN],
    start: usize,
}

impl DerSignature {
    /// Converts the two numbers of a JWS signature, each of `width` bytes (RFC 7518 section 3.4).
    /// Nothing if the length is not exactly theirs.
    pub(super) fn from_fixed(signature: &[u8], width: usize) -> Option<Self> {
        if signature.len() != 2 * width || width > 66 {
            return None;
        }
        let (r, s) = signature.split_at(width);
        // Written from the end, as each length is known after what it counts.
        let mut der = Self { bytes: [0; MAX_LEN], start: MAX_LEN };
        der.prepend_integer(s);
        der.prepend_integer(r);
        let len = MAX_LEN - der.start;
        if len < 0x80 {
            der.prepend(&[0x30, len as u8]);
        } else {
            der.prepend(&[0x30, 0x81, len as u8]);
        }
        Some(der)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// An unsigned number in its shortest form: no zeros in front, but for one that keeps it
    /// positive (X.690 section 8.3).
    fn prepend_integer(&mut self, number: &[u8]) {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let number = &number[zeros..];
        let end = self.start;
        self.prepend(number);
        if number.first().is_none_or(|first| *first >= 0x80) {
            self.prepend(&[0]);
        }
        let len = end - self.start;
        self.prepend(&[2, len as u8]);
    }

    fn prepend(&mut self, bytes: &[u8]) {
        let end = self.start;
        self.start -= bytes.len();
        self.bytes[self.start..end].copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
        DerSignature::from_fixed(&[r, s].concat(), r.len()).expect("a signature").as_bytes().into()
    }

    #[test]
    fn numbers_take_their_shortest_form() {
        assert_eq!(der(&[0, 1], &[0, 0x7f]), [0x30, 6, 2, 1, 1, 2, 1, 0x7f]);
        assert_eq!(der(&[0, 0x80], &[1, 0]), [0x30, 8, 2, 2, 0, 0x80, 2, 2, 1, 0]);
        assert_eq!(der(&[0, 0], &[0xff, 0]), [0x30, 8, 2, 1, 0, 2, 3, 0, 0xff, 0]);
    }

    #[test]
    fn the_longest_signature_has_a_long_header() {
        let longest = der(&[0xff; 66], &[0xff; 66]);
        assert_eq!(longest[..6], [0x30, 0x81, 138, 2, 67, 0]);
        assert_eq!(longest.len(), MAX_LEN);
        assert_eq!(der(&[0x7f; 48], &[0x80; 48])[..4], [0x30, 101, 2, 48]);
    }

    #[test]
    fn the_length_must_be_exact() {
        for len in [0, 63, 65, 96] {
            assert!(DerSignature::from_fixed(&vec![1; len], 32).is_none(), "{len}");
        }
    }
}
