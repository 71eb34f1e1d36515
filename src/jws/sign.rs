use super::encode;
use crate::crypto::sign::Signer;

/// A compact JWS over these texts, signed.
#[cfg(feature = "test-util")]
pub(crate) fn sign(header: &str, payload: &str, signer: &Signer) -> Option<String> {
    sign_encoded(&encode(header), payload, signer)
}

/// A compact JWS over this payload, with a header that is encoded already.
pub(crate) fn sign_encoded(header: &str, payload: &str, signer: &Signer) -> Option<String> {
    let input = format!("{header}.{}", encode(payload));
    let signature = signer.sign(input.as_bytes()).ok()?;
    Some(format!("{input}.{}", encode(signature)))
}
