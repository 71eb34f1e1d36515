use std::{ops::RangeInclusive, time::Duration};

/// What is wrong with a configuration: the value and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No cryptographic backend was compiled in.
    #[error("no cryptographic backend: enable the feature `aws-lc-rs` or `rust-crypto`")]
    NoBackend,
    /// The chosen cryptographic backend was not compiled in.
    #[error("the backend {name} is not compiled in: enable the feature `{name}`")]
    BackendNotCompiled {
        /// Name of the backend, which is also the name of the feature.
        name: &'static str,
    },
    /// A verifier without issuers would refuse everything.
    #[error("no issuer: give the verifier at least one with `.issuer(Issuer::new(..))`")]
    NoIssuer,
    /// The issuer identifier is empty or holds control characters.
    #[error("issuer {issuer:?}: the identifier must be non-empty text without control characters")]
    InvalidIssuer {
        /// The identifier as given.
        issuer: String,
    },
    /// An authorization server has no issuer identifier.
    #[error("the server has no issuer identifier: name it with `.issuer(\"https://..\")`")]
    NoIssuerIdentifier,
    /// An authorization server has no keys of its own.
    #[error("the server has no keys of its own: give it some with `.keys(ServerKeys::new(&root))`")]
    NoServerKeys,
    /// Two issuers have the same identifier.
    #[error(
        "issuer {issuer:?} is configured twice: merge the two, as keys and policy belong to one issuer"
    )]
    DuplicateIssuer {
        /// The identifier as given.
        issuer: String,
    },
    /// Keys were to be replaced for an issuer that the verifier does not trust.
    #[error("issuer {issuer:?} is not one of the verifier's: use its exact identifier")]
    UnknownIssuer {
        /// The identifier as given.
        issuer: String,
    },
    /// An issuer has no audience.
    #[error("issuer {issuer:?} has no audience: name this service with `.audience(..)`")]
    NoAudience {
        /// The issuer.
        issuer: String,
    },
    /// An issuer is to be known by audiences and by clients.
    #[error("issuer {issuer:?} has audiences and clients in their place: keep one of the two")]
    AudienceTwice {
        /// The issuer.
        issuer: String,
    },
    /// A template for the issuers of tenants is none, or stands where there is one issuer.
    #[error(
        "issuer {issuer:?}: give `Issuer::of_tenants` a template with one `{{tenantid}}` behind other text, and `Issuer::new` none"
    )]
    IssuerTemplate {
        /// The identifier as given.
        issuer: String,
    },
    /// An audience is the empty string.
    #[error("issuer {issuer:?} has an empty audience: an audience is a non-empty identifier")]
    EmptyAudience {
        /// The issuer.
        issuer: String,
    },
    /// An issuer has audiences, and yet none is to be checked.
    #[error(
        "issuer {issuer:?} has audiences that `danger_no_audience` would leave unchecked: keep one of the two"
    )]
    AudienceNotChecked {
        /// The issuer.
        issuer: String,
    },
    /// An issuer has no algorithm.
    #[error("issuer {issuer:?} has no algorithm: list what it signs with in `.algorithms([..])`")]
    NoAlgorithm {
        /// The issuer.
        issuer: String,
    },
    /// An issuer mixes MAC and signature algorithms (RFC 8725 section 2.1).
    #[error(
        "issuer {issuer:?} mixes HMAC with public-key algorithms: an issuer uses one of the two"
    )]
    MixedAlgorithms {
        /// The issuer.
        issuer: String,
    },
    /// The backend cannot verify this algorithm.
    #[error(
        "issuer {issuer:?} allows {algorithm}, which the backend {backend} cannot verify: take another backend or leave the algorithm out"
    )]
    UnsupportedAlgorithm {
        /// The issuer.
        issuer: String,
        /// Name of the algorithm.
        algorithm: &'static str,
        /// Name of the backend.
        backend: &'static str,
    },
    /// The backend does not sign with this algorithm.
    #[error(
        "the backend {backend} does not sign with {algorithm}: take ES256 or EdDSA, or the backend aws-lc-rs"
    )]
    UnsupportedSigning {
        /// Name of the algorithm.
        algorithm: &'static str,
        /// Name of the backend.
        backend: &'static str,
    },
    /// An algorithm name that this library does not know.
    #[error(
        "unknown algorithm {name:?}: use a name of RFC 7518 or RFC 9864 such as ES256; `none` is never accepted"
    )]
    UnknownAlgorithm {
        /// The name as given.
        name: String,
    },
    /// A setting that is given as text has a value that does not exist.
    #[error("unknown {setting} {name:?}: use one of {known}")]
    UnknownName {
        /// What it is a name of.
        setting: &'static str,
        /// The name as given.
        name: String,
        /// The names that there are.
        known: &'static str,
    },
    /// An issuer has no keys.
    #[error("issuer {issuer:?} has no keys: give it some with `.keys(..)`, or say `.keys_later()`")]
    NoKeys {
        /// The issuer.
        issuer: String,
    },
    /// No key of an issuer can be used with one of its algorithms.
    #[error(
        "issuer {issuer:?}: no usable key: {reasons}; compare kty, crv, alg and use of the keys with `.algorithms([..])` and the backend"
    )]
    NoUsableKey {
        /// The issuer.
        issuer: String,
        /// What is wrong with the first few keys.
        reasons: String,
    },
    /// An issuer has both keys at hand and remote keys, or keys that come later.
    #[error("issuer {issuer:?} has several sources of keys: keep one")]
    SeveralKeySources {
        /// The issuer.
        issuer: String,
    },
    /// Secrets are not fetched.
    #[error("issuer {issuer:?} uses HMAC, whose secret is never fetched: give it with `.keys(..)`")]
    RemoteSecret {
        /// The issuer.
        issuer: String,
    },
    /// The keys of an issuer that come from elsewhere cannot be replaced by hand.
    #[error("issuer {issuer:?}: its keys come from elsewhere, so they cannot be replaced by hand")]
    KeysAreRemote {
        /// The issuer.
        issuer: String,
    },
    /// There is no HTTP client to fetch keys with.
    #[error(
        "issuer {issuer:?}: no HTTP client for its keys: give one with `RemoteKeys::fetch(..)`, or enable the feature `reqwest`"
    )]
    NoFetch {
        /// The issuer.
        issuer: String,
    },
    /// There is no tokio runtime to start something on.
    #[error("no tokio runtime: start it where one runs")]
    NoRuntime,
    /// A text that cannot be used.
    #[error("{name} {value:?}: {remedy}")]
    InvalidText {
        /// Name of the setting.
        name: &'static str,
        /// The value as given.
        value: String,
        /// What it must look like.
        remedy: &'static str,
    },
    /// An address that cannot be used.
    #[error("{name} {value:?}: {remedy}")]
    InvalidUrl {
        /// Name of the setting.
        name: &'static str,
        /// The value as given.
        value: String,
        /// What it must look like.
        remedy: &'static str,
    },
    /// The leeway is out of range.
    #[error(
        "issuer {issuer:?}: a leeway of {seconds} s is more than the {max} s that clock differences can justify"
    )]
    LeewayTooLong {
        /// The issuer.
        issuer: String,
        /// Seconds as given.
        seconds: u64,
        /// The most that is accepted, in seconds.
        max: u64,
    },
    /// A limit is out of range.
    #[error("{name} must be between {min} and {max}, not {value}")]
    OutOfRange {
        /// Name of the setting.
        name: &'static str,
        /// The value as given.
        value: u64,
        /// The least that is accepted.
        min: u64,
        /// The most that is accepted.
        max: u64,
    },
    /// A time that is counted in whole seconds has a fraction, which would be dropped.
    #[error("{name} must be whole seconds, not {value:?}: leave the fraction out")]
    FractionOfSecond {
        /// Name of the setting.
        name: &'static str,
        /// The value as given.
        value: Duration,
    },
    /// A scope claim has an impossible path or prefix.
    #[error(
        "issuer {issuer:?}: a scope claim needs a path without empty steps that starts at no registered claim, and a prefix of scope characters"
    )]
    InvalidScopeClaim {
        /// The issuer.
        issuer: String,
    },
    /// A text cannot stand in a challenge header.
    #[error("{name} {value:?}: {remedy}")]
    InvalidChallengeValue {
        /// Name of the setting.
        name: &'static str,
        /// The value as given.
        value: String,
        /// What it must look like.
        remedy: &'static str,
    },
    /// A cookie or header name is not usable.
    #[error("{name:?} cannot name the place of a token: {remedy}")]
    InvalidSourceName {
        /// The name as given.
        name: String,
        /// What it must look like.
        remedy: &'static str,
    },
    /// A text is no network of proxies.
    #[error(
        "{value:?} is no network of proxies: write its first address and a prefix of at least 1, such as 10.0.0.0/8, or one address"
    )]
    InvalidNetwork {
        /// The text as given.
        value: String,
    },
}

impl ConfigError {
    /// The seconds of a setting that is counted in whole ones.
    pub(crate) const fn whole_seconds(name: &'static str, value: Duration) -> Result<u64, Self> {
        match value.subsec_nanos() {
            0 => Ok(value.as_secs()),
            _ => Err(Self::FractionOfSecond { name, value }),
        }
    }

    /// Checks that the value of a setting is one of these.
    pub(crate) fn in_range(
        name: &'static str,
        value: u64,
        range: RangeInclusive<u64>,
    ) -> Result<(), Self> {
        if range.contains(&value) {
            return Ok(());
        }
        let (min, max) = range.into_inner();
        Err(Self::OutOfRange { name, value, min, max })
    }
}
