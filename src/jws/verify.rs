use super::{Scratch, UntrustedToken, decode};
use crate::{
    crypto::{Algorithm, PreparedKey},
    error::AuthErrorKind,
};

/// Bytes of the longest signature: RSA with 8192 bits.
const MAX_SIGNATURE: usize = 1024;
/// Bytes of a signature that are decoded on the stack: RSA with up to 4096 bits.
const USUAL_SIGNATURE: usize = 512;

/// Checks the signature of a token over the bytes as received. No other place in the library does.
pub(crate) fn verify(
    token: UntrustedToken<'_>,
    algorithm: Algorithm,
    key: &PreparedKey,
) -> Result<(), AuthErrorKind> {
    let mut scratch = Scratch::<{ USUAL_SIGNATURE + 3 }>::new();
    if token.signature().len() > MAX_SIGNATURE.div_ceil(3) * 4 {
        return Err(AuthErrorKind::BadSignature);
    }
    let signature = decode(token.signature(), &mut scratch).ok_or(AuthErrorKind::Malformed)?;
    if signature.is_empty() || !key.verify(algorithm, token.signing_input(), signature) {
        return Err(AuthErrorKind::BadSignature);
    }
    Ok(())
}
