//! Secrets of applications: how they are made, kept and compared.

use std::fmt;

use zeroize::Zeroizing;

use super::{argon, server_keys::Ring};
use crate::{
    crypto::{MacKey, NoRandom, is_same_tag, random},
    jws,
    secret::Secret,
};

/// A secret as it is handed out, once: `<prefix>_<43 letters or digits>_<checksum>`.
///
/// The letters and digits are 256 random bits; the checksum lets a typing mistake fail at once, and
/// the whole form lets scanners find a secret that leaked. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct GeneratedSecret(Secret<String>);

impl GeneratedSecret {
    pub(super) fn new(prefix: &str) -> Result<Self, NoRandom> {
        let payload = base62::<43>(Zeroizing::new(random::<32>()?).as_slice());
        let head = Zeroizing::new(format!("{prefix}_{payload}"));
        let checksum = base62::<6>(&checksum(head.as_bytes()).to_be_bytes());
        Ok(Self(Secret::new(format!("{}_{checksum}", *head))))
    }

    /// The secret itself: show it to whoever is to use it, and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for GeneratedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GeneratedSecret([redacted])")
    }
}

/// A client id: 128 random bits as letters and digits, so that nobody chooses what is the subject
/// of tokens (RFC 9700 section 4.15).
pub(super) fn client_id() -> Result<String, NoRandom> {
    Ok(format!("app_{}", base62::<22>(&random::<16>()?)))
}

/// What names a secret among those of its application.
pub(super) fn secret_id() -> Result<String, NoRandom> {
    Ok(base62::<11>(&random::<8>()?))
}

/// A presented secret by its shape, which alone decides how it is compared: whether the application
/// exists, and what kind of secret it has, is not to be told by the time that the answer takes.
#[derive(Clone, Copy)]
pub(super) enum Presented<'a> {
    Generated(&'a str),
    /// Of the shape of those that are generated, but none: the checksum is wrong.
    Mistyped,
    Chosen(&'a str),
}

impl<'a> Presented<'a> {
    pub(super) fn of(secret: &'a str) -> Self {
        match split_generated(secret) {
            Some((head, given))
                if base62::<6>(&checksum(head.as_bytes()).to_be_bytes()) == given =>
            {
                Self::Generated(secret)
            }
            Some(_) => Self::Mistyped,
            None => Self::Chosen(secret),
        }
    }
}

/// Whether a text has the shape of a generated secret, be the checksum right or wrong.
fn split_generated(secret: &str) -> Option<(&str, &str)> {
    let (head, checksum) = secret.rsplit_once('_')?;
    let (prefix, payload) = head.rsplit_once('_')?;
    let is_base62 =
        |text: &str, len| text.len() == len && text.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_prefix(prefix) && is_base62(payload, 43) && is_base62(checksum, 6))
        .then_some((head, checksum))
}

/// 2 to 16 lower-case letters and digits, a letter first.
pub(super) fn is_prefix(prefix: &str) -> bool {
    (2..=16).contains(&prefix.len())
        && prefix.starts_with(|first: char| first.is_ascii_lowercase())
        && prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// What a store keeps of a secret, read.
pub(super) enum Digest {
    /// The HMAC tag of a generated secret under one of the peppers.
    Hmac {
        tag: [u8; 32],
        pepper: [u8; 4],
    },
    Argon(argon::Hash),
}

const HMAC: &str = "hmac-sha256$";

impl Digest {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let Some(rest) = text.strip_prefix(HMAC) else {
            return argon::Hash::parse(text).map(Self::Argon);
        };
        let (pepper, tag) = rest.split_once('$')?;
        Some(Self::Hmac {
            pepper: jws::decode_to_vec(pepper)?.try_into().ok()?,
            tag: jws::decode_to_vec(tag)?.try_into().ok()?,
        })
    }
}

/// The digest of a generated secret under the current pepper. It is bound to the application, so
/// that the rows of two applications cannot be swapped.
pub(super) fn digest(peppers: &Ring<MacKey>, application: &str, secret: &str) -> String {
    let (tag, pepper) = peppers.current();
    let digest = tag_of(pepper, &bound(application, secret));
    format!("{HMAC}{}${}", jws::encode(tag), jws::encode(digest))
}

/// A generated secret under every pepper that there is: as much work for an application that does
/// not exist.
pub(super) struct Tags(Vec<([u8; 4], [u8; 32])>);

impl Tags {
    pub(super) fn of(peppers: &Ring<MacKey>, application: &str, secret: &str) -> Self {
        let message = bound(application, secret);
        Self(peppers.iter().map(|(tag, pepper)| (tag, tag_of(pepper, &message))).collect())
    }

    /// Whether this is the digest of the secret; compared in constant time.
    pub(super) fn contain(&self, pepper: [u8; 4], digest: &[u8; 32]) -> bool {
        let own = self.0.iter().filter(|(tag, _)| *tag == pepper);
        own.fold(false, |any, (_, tag)| any | is_same_tag(tag, digest))
    }
}

fn tag_of(pepper: &MacKey, message: &[u8]) -> [u8; 32] {
    #[cfg(test)]
    super::work::note(super::work::Work::Tag(message.len()));
    pepper.tag(message)
}

fn bound(application: &str, secret: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([application.as_bytes(), &[0], secret.as_bytes()].concat())
}

/// A big-endian number in base 62, with exactly `N` digits.
fn base62<const N: usize>(number: &[u8]) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut number = Zeroizing::new(number.to_vec());
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_usize;
        for byte in number.iter_mut() {
            let value = rest << 8 | usize::from(*byte);
            *byte = (value / 62) as u8;
            rest = value % 62;
        }
        *digit = DIGITS[rest];
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// CRC-32 (IEEE 802.3): finds every typing mistake in one place. It protects against mistakes only.
fn checksum(text: &[u8]) -> u32 {
    let crc = text.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let carry = if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
            crc >> 1 ^ carry
        })
    });
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_checksums_are_those_that_everybody_computes() {
        assert_eq!(checksum(b"123456789"), 0xCBF4_3926);
        assert_eq!(base62::<3>(&[0]), "000");
        assert_eq!(base62::<3>(&[61]), "00z");
        assert_eq!(base62::<3>(&[62]), "010");
        // The largest numbers fit.
        assert_eq!(base62::<22>(&[255; 16]), "7n42DGM5Tflk9n8mt7Fhc7");
        assert_eq!(base62::<6>(&[255; 4]), "4gfFC3");
    }

    #[test]
    fn a_change_of_one_character_makes_a_secret_mistyped_or_another_shape() {
        let secret = GeneratedSecret::new("tb").unwrap();
        let secret = secret.expose();
        assert!(matches!(Presented::of(secret), Presented::Generated(_)), "{secret}");
        for at in 0..secret.len() {
            let mut changed = secret.as_bytes().to_vec();
            changed[at] = if changed[at] == b'a' { b'b' } else { b'a' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(!matches!(Presented::of(&changed), Presented::Generated(_)), "{changed}");
        }
    }
}
