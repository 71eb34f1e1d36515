use crate::{
    error::{BoxError, ConfigError},
    key::KeyError,
};

/// Why the keys of an issuer could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// The client could not get an answer.
    #[error("no answer from {url}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What the client says.
        source: BoxError,
    },
    /// The answer did not come in time.
    #[error("no answer within {seconds} s")]
    Timeout {
        /// The limit, in seconds.
        seconds: u64,
    },
    /// The answer was not 200; redirects are not followed.
    #[error("{url} answered {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: http::StatusCode,
    },
    /// The answer was longer than [`MAX_BODY`](super::MAX_BODY).
    #[error("the answer from {url} is longer than 256 KiB")]
    TooLong {
        /// What was asked for.
        url: String,
    },
    /// The key document is malformed.
    #[error("{url}: {source}")]
    Document {
        /// Where it is.
        url: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// No key of the document can be used, so the old ones stay.
    #[error("{source}")]
    NoUsableKey {
        /// Why not.
        source: ConfigError,
    },
    /// The metadata is no JSON object with the texts `issuer` and `jwks_uri`.
    #[error("the metadata at {url} is no JSON object with `issuer` and `jwks_uri`")]
    Metadata {
        /// Where it is.
        url: String,
    },
    /// The metadata names another issuer (RFC 8414 section 3.3).
    #[error("the metadata at {url} is that of another issuer, {named:?}")]
    OtherIssuer {
        /// Where it is.
        url: String,
        /// Whom it names, at most 256 characters.
        named: String,
    },
    /// The metadata names an address that is not secure.
    #[error("the metadata at {url} names {jwks_uri:?}, which is no https URL of at most 2 KiB")]
    InsecureKeys {
        /// Where it is.
        url: String,
        /// What it names, at most 256 characters.
        jwks_uri: String,
    },
    /// The HTTP client panicked.
    #[error("the HTTP client panicked")]
    Panicked,
    /// The task that fetches keys ended: with its tokio runtime, or because that has no timers.
    #[error(
        "the task that fetches keys ended: it needs a tokio runtime that goes on and has timers"
    )]
    Stopped,
    /// So many requests wait for the keys already that no more may.
    #[error("too many requests wait for keys")]
    TooManyWaiting,
    /// Keys can only be fetched inside a tokio runtime.
    #[error("no tokio runtime: fetch keys where one runs")]
    NoRuntime,
}
