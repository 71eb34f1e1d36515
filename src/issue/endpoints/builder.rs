use std::sync::Arc;

use super::{Endpoints, Shared, documents::Documents};
use crate::{
    error::ConfigError,
    issue::{AuthorizationServer, FindSource},
    scope::ScopeSet,
    url::{SECURE_URL, secure_url},
};

/// Describes [`Endpoints`].
#[derive(Debug)]
#[must_use]
pub struct EndpointsBuilder {
    server: AuthorizationServer,
    find_source: FindSource,
    base_url: Option<String>,
    scopes: ScopeSet,
    refresh_bad_request: bool,
}

impl EndpointsBuilder {
    pub(super) fn new(server: AuthorizationServer, find_source: FindSource) -> Self {
        Self {
            server,
            find_source,
            base_url: None,
            scopes: ScopeSet::empty(),
            refresh_bad_request: false,
        }
    }

    /// Where clients find the endpoints, without the paths of the table: the issuer identifier
    /// unless said otherwise. What is published names them by it.
    pub fn base_url(self, url: impl Into<String>) -> Self {
        Self { base_url: Some(url.into()), ..self }
    }

    /// The scopes that the metadata lists (`scopes_supported`); none unless said otherwise.
    pub fn scopes_supported(self, scopes: ScopeSet) -> Self {
        Self { scopes, ..self }
    }

    /// Answers refresh tokens that are refused at the product's endpoint with 400 instead of 401.
    pub fn refresh_refused_with_400(self) -> Self {
        Self { refresh_bad_request: true, ..self }
    }

    /// Checks the description.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the base URL is none.
    pub fn build(self) -> Result<Endpoints, ConfigError> {
        let url = self.base_url.unwrap_or_else(|| self.server.issuer().to_owned());
        let url = url.trim_end_matches('/');
        let Some(parsed) = secure_url(url).filter(|url| url.query().is_none()) else {
            return Err(ConfigError::InvalidUrl {
                name: "base_url",
                value: url.to_owned(),
                remedy: SECURE_URL,
            });
        };
        let documents = Documents::new(self.server.issuer(), url, &self.scopes);
        Ok(Endpoints(Arc::new(Shared {
            base_path: parsed.path().trim_end_matches('/').to_owned(),
            documents,
            server: self.server,
            find_source: self.find_source,
            waiting: tokio::sync::Semaphore::new(super::revocations::MOST_WAITING),
            refresh_bad_request: self.refresh_bad_request,
        })))
    }
}
