//! The door for known answers: signatures over any bytes, past the rules for tokens.
//!
//! Test vectors sign texts that are no claims. Here they meet the same keys, the same checks and
//! the same backends as tokens do.

use crate::{
    crypto::{Algorithm, Backend, PreparedKey},
    jws::{self, Header, UntrustedToken},
    key::VerifyingKey,
};

/// Whether the signature of `message` holds for the key.
#[must_use]
pub fn verify_signature(
    backend: Backend,
    key: &VerifyingKey,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Ok(prepared) = PreparedKey::new(backend, key.material()) else {
        return false;
    };
    let serves = key.serves([algorithm].into_iter().collect());
    serves.contains(algorithm) && prepared.verify(algorithm, message, signature)
}

/// Whether a compact JWS, whatever its payload, is well-formed, has a header that is accepted, and
/// a signature that holds for the key.
#[must_use]
pub fn verify_jws(backend: Backend, key: &VerifyingKey, token: &str) -> bool {
    let verify = || {
        let token = UntrustedToken::split(token.as_bytes())?;
        let header = Header::parse(&jws::decode_to_vec(token.header())?).ok()?;
        jws::decode_to_vec(token.payload())?;
        let prepared = PreparedKey::new(backend, key.material()).ok()?;
        let serves = key.serves([header.algorithm].into_iter().collect());
        let fits = serves.contains(header.algorithm)
            && (key.id().is_none()
                || header.key_id.is_none()
                || key.id() == header.key_id.as_deref());
        (fits && jws::verify(token, header.algorithm, &prepared).is_ok()).then_some(())
    };
    verify().is_some()
}
