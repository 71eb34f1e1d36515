//! JSON Web Signature in compact serialization (RFC 7515), read strictly.
//!
//! [`UntrustedToken`] is what arrives: three base64url texts of which nothing is believed.
//! [`Header`] is read strictly, [`verify`] is the one place that checks a signature.

mod base64url;
mod header;
#[cfg(any(feature = "issue", feature = "test-util"))]
pub(crate) mod sign;
mod verify;

pub(crate) use self::{
    base64url::{Scratch, decode, decode_to_vec, encode},
    header::{Header, MAX_KEY_ID, MediaType},
    verify::verify,
};

/// A compact JWS, split and otherwise unread.
#[derive(Clone, Copy)]
pub(crate) struct UntrustedToken<'a> {
    text: &'a [u8],
    first_dot: usize,
    second_dot: usize,
}

impl<'a> UntrustedToken<'a> {
    /// Splits a token with exactly two periods (RFC 7515 section 7.1). Five parts are a JWE, which
    /// is refused before any work is done on it.
    pub(crate) fn split(text: &'a [u8]) -> Option<Self> {
        let mut dots = memchr::memchr_iter(b'.', text);
        let (first_dot, second_dot) = (dots.next()?, dots.next()?);
        dots.next().is_none().then_some(Self { text, first_dot, second_dot })
    }

    /// The JOSE header, base64url.
    pub(crate) fn header(self) -> &'a [u8] {
        &self.text[..self.first_dot]
    }

    /// The payload, base64url.
    pub(crate) fn payload(self) -> &'a [u8] {
        &self.text[self.first_dot + 1..self.second_dot]
    }

    /// The signature, base64url.
    pub(crate) fn signature(self) -> &'a [u8] {
        &self.text[self.second_dot + 1..]
    }

    /// What was signed, byte for byte as received (RFC 7515 section 5.2).
    pub(crate) fn signing_input(self) -> &'a [u8] {
        &self.text[..self.second_dot]
    }
}
