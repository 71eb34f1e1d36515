use super::encode;
use crate::crypto::sign::Signer;

/// A compact JWS over these texts, signed.
pub(crate) fn sign(header: &str, payload: &str, signer: &Signer) -> Option<String> {
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = signer.sign(input.as_bytes()).ok()?;
    Some(format!("{input}.{}", encode(signature)))
}
