//! Checks of Ed25519 encodings that make verification unambiguous whatever the backend: RFC 8032
//! leaves open what libraries then decide differently.

/// The y coordinates of the points of small order, little-endian and with the sign bit cleared:
/// 0, 1, the two of order 8, and p-1; then p and p+1, which are 0 and 1 again.
const SMALL_ORDER: [[u8; 32]; 7] = [
    hex("0000000000000000000000000000000000000000000000000000000000000000"),
    hex("0100000000000000000000000000000000000000000000000000000000000000"),
    hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    hex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    hex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
];

/// The order of the base point, little-endian.
const GROUP_ORDER: [u8; 32] =
    hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");

/// Whether the encoding is canonical (y below 2^255 - 19) and the point not of small order.
pub(super) fn is_strict_point(encoded: &[u8; 32]) -> bool {
    let mut y = *encoded;
    y[31] &= 0x7f;
    let beyond_field = y[31] == 0x7f && y[1..31].iter().all(|byte| *byte == 0xff) && y[0] >= 0xed;
    !beyond_field && !SMALL_ORDER.contains(&y)
}

/// Whether a signature has 64 bytes, a strict R, and S below the group order (RFC 8032 section
/// 5.1.7).
pub(super) fn is_strict_signature(signature: &[u8]) -> bool {
    let Some((r, s)) = signature.split_first_chunk::<32>() else {
        return false;
    };
    let Ok(s) = <&[u8; 32]>::try_from(s) else {
        return false;
    };
    is_strict_point(r) && s.iter().rev().lt(GROUP_ORDER.iter().rev())
}

/// 64 hexadecimal digits, read when the code is compiled.
const fn hex(text: &str) -> [u8; 32] {
    const fn digit(byte: u8) -> u8 {
        match byte {
            b'0'..=b'9' => byte - b'0',
            _ => byte - b'a' + 10,
        }
    }
    let text = text.as_bytes();
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = digit(text[2 * at]) << 4 | digit(text[2 * at + 1]);
        at += 1;
    }
    bytes
}
