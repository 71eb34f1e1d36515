use std::time::Duration;

use super::{AdminError, Applications, checks};
use crate::{issue::application::Application, scope::ScopeSet};

/// What an application may do.
impl Applications {
    /// Sets the scopes that the application may be granted. Tokens that it has keep what they say
    /// until they expire; refreshed ones get no more than this.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if there is no such application, or the store fails.
    pub async fn set_scopes(&self, id: &str, scopes: ScopeSet) -> Result<Application, AdminError> {
        self.changed(id, |record| {
            record.scopes = scopes.clone();
            Ok(())
        })
        .await
    }

    /// Sets the audiences that its tokens may have; the first one is the default. Families for
    /// others are not refreshed any more.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if there is no such application, an audience cannot be used, or the store
    /// fails.
    pub async fn set_audiences<T: Into<String>>(
        &self,
        id: &str,
        audiences: impl IntoIterator<Item = T>,
    ) -> Result<Application, AdminError> {
        let audiences: Vec<String> = audiences.into_iter().map(Into::into).collect();
        checks::audiences(&audiences)?;
        self.changed(id, |record| {
            record.audiences.clone_from(&audiences);
            Ok(())
        })
        .await
    }

    /// Sets how long its access tokens live, in whole seconds, 30 s to one hour; or as long as
    /// those of others.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if there is no such application, the time is out of range, or the store
    /// fails.
    pub async fn set_access_lifetime(
        &self,
        id: &str,
        lifetime: Option<Duration>,
    ) -> Result<Application, AdminError> {
        checks::lifetime(lifetime)?;
        self.changed(id, |record| {
            record.access_lifetime = lifetime;
            Ok(())
        })
        .await
    }

    /// Says whether the OAuth token endpoint gives it refresh tokens. RFC 6749 section 4.4.3 says
    /// that it should not: it pays where the secret should be used rarely.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if there is no such application, or the store fails.
    pub async fn set_oauth_refresh(&self, id: &str, on: bool) -> Result<Application, AdminError> {
        self.changed(id, |record| {
            record.oauth_refresh = on;
            Ok(())
        })
        .await
    }

    /// Says whether it is a resource server that may ask about the tokens that are for one of its
    /// audiences (RFC 7662).
    ///
    /// # Errors
    ///
    /// [`AdminError`] if there is no such application, or the store fails.
    pub async fn set_introspects(&self, id: &str, on: bool) -> Result<Application, AdminError> {
        self.changed(id, |record| {
            record.introspects = on;
            Ok(())
        })
        .await
    }
}
