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

/// Whether a point of the curve has this y: whether x^2 = (y^2 - 1) / (d y^2 + 1) has a root (RFC
/// 8032 section 5.1.3). AWS-LC looks only when a signature is checked, which then never holds. For
/// imports only: nothing here is secret, nor is it fast.
pub(super) fn is_on_curve(encoded: &[u8; 32]) -> bool {
    let mut y = *encoded;
    y[31] &= 0x7f;
    let y = Field::from_bytes(y);
    let square = y.times(y);
    let numerator = square.plus(Field::MINUS_ONE);
    let denominator = square.times(Field::D).plus(Field::ONE);
    // A quotient is a square if and only if the product is; the denominator is never zero.
    numerator.times(denominator).is_square()
}

/// A number modulo p = 2^255 - 19, below 2^256: its limbs, the lowest first.
#[derive(Clone, Copy)]
struct Field([u64; 4]);

impl Field {
    const ONE: Self = Self([1, 0, 0, 0]);
    const MINUS_ONE: Self = Self([u64::MAX - 19, u64::MAX, u64::MAX, u64::MAX >> 1]);
    /// p + 1, which is 1 too.
    const ONE_MORE: Self = Self([u64::MAX - 17, u64::MAX, u64::MAX, u64::MAX >> 1]);
    /// The d of the curve.
    const D: Self =
        Self::from_bytes(hex("a3785913ca4deb75abd841414d0a700098e879777940c78c73fe6f2bee6c0352"));

    const fn from_bytes(bytes: [u8; 32]) -> Self {
        let mut limbs = [0; 4];
        let mut at = 0;
        while at < 32 {
            limbs[at / 8] |= (bytes[at] as u64) << (8 * (at % 8));
            at += 1;
        }
        Self(limbs)
    }

    fn plus(self, other: Self) -> Self {
        let mut sum = self.0;
        let mut carry = 0;
        for (limb, other) in sum.iter_mut().zip(other.0) {
            carry += u128::from(*limb) + u128::from(other);
            *limb = carry as u64;
            carry >>= 64;
        }
        Self(sum).plus_carry(carry)
    }

    fn times(self, other: Self) -> Self {
        let mut wide = [0; 8];
        for (at, limb) in self.0.into_iter().enumerate() {
            let mut carry = 0;
            for (place, other) in wide[at..].iter_mut().zip(other.0) {
                carry += u128::from(*place) + u128::from(limb) * u128::from(other);
                *place = carry as u64;
                carry >>= 64;
            }
            wide[at + 4] = carry as u64;
        }
        // 2^256 is 38.
        let mut folded = [0; 4];
        let mut carry = 0;
        for (at, limb) in folded.iter_mut().enumerate() {
            carry += u128::from(wide[at]) + 38 * u128::from(wide[at + 4]);
            *limb = carry as u64;
            carry >>= 64;
        }
        Self(folded).plus_carry(carry)
    }

    /// Adds as many times 2^256.
    fn plus_carry(mut self, mut times: u128) -> Self {
        while times > 0 {
            times *= 38;
            for limb in &mut self.0 {
                times += u128::from(*limb);
                *limb = times as u64;
                times >>= 64;
            }
        }
        self
    }

    /// Euler's criterion: the power of (p - 1) / 2 = 2^254 - 10 is 1. Zero does not count, as y is
    /// then 1 or -1, a point of small order.
    fn is_square(self) -> bool {
        let mut power = Self::ONE;
        for bit in (0..254).rev() {
            power = power.times(power);
            if !matches!(bit, 0 | 3) {
                power = power.times(self);
            }
        }
        // Below 2^255 and a little: the top bit is 19.
        let top = power.0[3] >> 63;
        power.0[3] &= u64::MAX >> 1;
        let power = power.plus(Self([19 * top, 0, 0, 0]));
        power.0 == Self::ONE.0 || power.0 == Self::ONE_MORE.0
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_the_curve_are_told_from_others() {
        // The base point, the key of RFC 8037 appendix A, and the first key of RFC 8032 section
        // 7.1.
        for point in [
            "5866666666666666666666666666666666666666666666666666666666666666",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        ] {
            assert!(is_on_curve(&hex(point)), "{point}");
        }
        let mut y = [0; 32];
        y[0] = 2;
        assert!(!is_on_curve(&y));
    }

    /// The other backend decompresses the point.
    #[cfg(feature = "rust-crypto")]
    #[test]
    fn both_backends_take_the_same_points() {
        use crate::crypto::{Backend, Material, PreparedKey, sha256};

        let mut points = 0;
        for number in 0..200_u8 {
            let y = sha256(&[number]).expect("a hash");
            let taken = PreparedKey::new(Backend::RustCrypto, &Material::Ed25519(y)).is_ok();
            assert_eq!(is_on_curve(&y), taken, "{y:?}");
            points += usize::from(taken);
        }
        assert!((60..140).contains(&points));
    }
}
