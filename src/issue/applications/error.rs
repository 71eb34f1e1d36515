use crate::issue::store::StoreError;

/// Why an application is not created or changed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// There is no application with this client id.
    #[error("there is no application {id:?}: use its client id, not its name")]
    NotFound {
        /// The id as given.
        id: String,
    },
    /// Another application has this name.
    #[error("the name {name:?} is taken: choose another, or delete the application that has it")]
    NameTaken {
        /// The name as given.
        name: String,
    },
    /// A value that cannot be used.
    #[error("{name} {value:?}: {remedy}")]
    Invalid {
        /// Name of the setting.
        name: &'static str,
        /// The value as given.
        value: String,
        /// What it must look like.
        remedy: &'static str,
    },
    /// A chosen secret that cannot be used. It is not repeated here.
    #[error("the secret cannot be used: {remedy}")]
    InvalidSecret {
        /// What it must look like.
        remedy: &'static str,
    },
    /// The application has two live secrets.
    #[error("the application has two live secrets already: revoke one first")]
    TooManySecrets,
    /// The application has no such secret.
    #[error("the application has no secret {id:?}: list them with `Applications::get`")]
    NoSuchSecret {
        /// The id as given.
        id: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
