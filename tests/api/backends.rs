use tower_bearer::Backend;

/// The backends that are compiled in.
pub(crate) fn all() -> Vec<Backend> {
    let mut all = Vec::new();
    if cfg!(feature = "aws-lc-rs") {
        all.push(Backend::AwsLcRs);
    }
    if cfg!(feature = "rust-crypto") {
        all.push(Backend::RustCrypto);
    }
    all
}
