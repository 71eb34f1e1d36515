//! The administration of applications.

pub(super) mod checks;
mod error;
mod secrets;
mod settings;

use std::{fmt, sync::Arc};

pub use self::{error::AdminError, secrets::Cascade};
use super::{
    application::{Application, ApplicationRecord, NewApplication},
    secret::{self, GeneratedSecret},
    server::{Core, remembered_until},
    store::{Applied, StoreError, Write},
};
use crate::{
    event::{IssuingAction, IssuingEvent},
    revocation::Revocation,
    time::UnixTime,
};

/// Creates, changes and ends applications. Every change is an event.
///
/// ```
/// # use tower_bearer::{issue::{AuthorizationServer, NewApplication, RootKey, ServerKeys}, scope::ScopeSet, store::Memory};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = ServerKeys::new(&RootKey::from_bytes([7; 32]));
/// let server = AuthorizationServer::builder(Memory::new())
///     .issuer("https://id.example.com")
///     .keys(keys)
///     .open()
///     .await?;
/// let applications = server.applications();
/// let (application, secret) = applications
///     .create(
///         NewApplication::new("App1")
///             .audience("https://api.example.com")
///             .scopes(ScopeSet::parse("reports:read reports:write")?),
///     )
///     .await?;
/// println!("the secret of {} is {}", application.name(), secret.expose()); // once
///
/// let duplicate = NewApplication::new("App1").audience("https://api.example.com");
/// assert!(applications.create(duplicate).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Applications {
    core: Arc<Core>,
}

/// How often another change may come first.
const ATTEMPTS: usize = 64;

impl Applications {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Creates an application, with a generated secret that is shown here and never again.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if the name is taken, a value cannot be used, or the store fails.
    pub async fn create(
        &self,
        new: NewApplication,
    ) -> Result<(Application, GeneratedSecret), AdminError> {
        let now = self.core.now();
        let mut record = new.into_record(client_id()?, now)?;
        let (generated, secret) = self.generate(&record.id, "first", now)?;
        record.secrets.push(secret);
        let write = Write::InsertApplication(record.clone());
        if self.core.store.apply(vec![write]).await? == Applied::Conflict {
            return Err(AdminError::NameTaken { name: record.name });
        }
        self.core.tell(IssuingEvent::new(IssuingAction::ApplicationCreated).of(&record.id));
        Ok((Application::new(record), generated))
    }

    /// The application with this client id.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if there is none, or the store fails.
    pub async fn get(&self, id: &str) -> Result<Application, AdminError> {
        self.record(id).await.map(Application::new)
    }

    /// The application with this name, compared byte for byte, if there is one.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if the store fails.
    pub async fn named(&self, name: &str) -> Result<Option<Application>, AdminError> {
        Ok(self.core.application_named(name).await?.map(Application::new))
    }

    /// At most `limit` applications in the order of their client ids, those after `after`.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if `after` has control characters, or the store fails.
    pub async fn list(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Application>, AdminError> {
        checks::no_control("after", after.unwrap_or_default())?;
        let records = self.core.store.applications(after, limit).await?;
        Ok(records.into_iter().map(Application::new).collect())
    }

    /// Disables an application: it cannot authenticate, and all its tokens end. The next request is
    /// refused.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if there is no such application, or the store fails. Call it again then: what
    /// was done once is not done twice.
    pub async fn disable(&self, id: &str) -> Result<Application, AdminError> {
        let now = self.core.now();
        let record = self
            .change(id, |record| {
                record.enabled = false;
                Ok(end_everything(id, None, now))
            })
            .await?;
        self.raise_cut_off(id, now).await?;
        self.core.tell(IssuingEvent::new(IssuingAction::ApplicationDisabled).of(id));
        Ok(Application::new(record))
    }

    /// Enables an application that was disabled. It must authenticate anew.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if there is no such application, or the store fails.
    pub async fn enable(&self, id: &str) -> Result<Application, AdminError> {
        let record = self
            .change(id, |record| {
                record.enabled = true;
                Ok(Vec::new())
            })
            .await?;
        self.core.tell(IssuingEvent::new(IssuingAction::ApplicationEnabled).of(id));
        Ok(Application::new(record))
    }

    /// Revokes everything that the application holds: all refresh families, and all access tokens
    /// up to the end of this second. It may authenticate anew.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if there is no such application, or the store fails.
    pub async fn revoke_everything(&self, id: &str) -> Result<(), AdminError> {
        let now = self.core.now();
        // The version rises, so that nothing is opened by whoever authenticated before.
        self.change(id, |_| Ok(end_everything(id, None, now))).await?;
        self.raise_cut_off(id, now).await?;
        self.core.tell(IssuingEvent::new(IssuingAction::ApplicationRevoked).of(id));
        Ok(())
    }

    /// Deletes an application. All its tokens end; its name is free, its client id never used
    /// again.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if there is no such application, or the store fails.
    pub async fn delete(&self, id: &str) -> Result<(), AdminError> {
        for _ in 0..ATTEMPTS {
            let version = self.record(id).await?.version;
            let now = self.core.now();
            let write = Write::DeleteApplication { id: id.to_owned(), version };
            if self.apply(vec![write, cut_off(id, now)]).await? == Applied::Done {
                self.raise_cut_off(id, now).await?;
                self.core.tell(IssuingEvent::new(IssuingAction::ApplicationDeleted).of(id));
                return Ok(());
            }
        }
        Err(contended())
    }

    /// Refuses the access tokens that were issued while the change was written that began at this
    /// time. It cut off those before; whoever had looked before is dated before.
    async fn raise_cut_off(&self, id: &str, began: UnixTime) -> Result<(), AdminError> {
        let now = self.core.now();
        if now > began {
            let _ = self.apply(vec![cut_off(id, now)]).await?;
        }
        Ok(())
    }

    /// What is revoked is refused in this process first, so that nothing that happens to the store
    /// or to whoever waits for this lets a token live on here.
    async fn apply(&self, writes: Vec<Write>) -> Result<Applied, AdminError> {
        for write in &writes {
            if let Write::Revoke(revocation) = write {
                self.core.revocations.revoke(revocation);
            }
        }
        Ok(self.core.store.apply(writes).await?)
    }

    async fn record(&self, id: &str) -> Result<ApplicationRecord, AdminError> {
        let found = self.core.application(id).await?;
        found.ok_or_else(|| AdminError::NotFound { id: id.to_owned() })
    }

    async fn changed(
        &self,
        id: &str,
        change: impl Fn(&mut ApplicationRecord) -> Result<(), AdminError>,
    ) -> Result<Application, AdminError> {
        let record = self.change(id, |record| change(record).map(|()| Vec::new())).await?;
        self.core.tell(IssuingEvent::new(IssuingAction::ApplicationChanged).of(id));
        Ok(Application::new(record))
    }

    /// Changes a record, with other writes, as often as it takes until nobody comes between.
    async fn change(
        &self,
        id: &str,
        change: impl Fn(&mut ApplicationRecord) -> Result<Vec<Write>, AdminError>,
    ) -> Result<ApplicationRecord, AdminError> {
        for _ in 0..ATTEMPTS {
            let mut record = self.record(id).await?;
            let mut writes = change(&mut record)?;
            record.version = record.version.saturating_add(1);
            writes.insert(0, Write::ReplaceApplication(record.clone()));
            if self.apply(writes).await? == Applied::Done {
                return Ok(record);
            }
        }
        Err(contended())
    }
}

/// Ends the families of an application, or those that a secret opened, and all its access tokens.
fn end_everything(application: &str, secret: Option<&str>, at: UnixTime) -> Vec<Write> {
    let end = Write::EndFamilies {
        application: application.to_owned(),
        secret: secret.map(str::to_owned),
        at,
    };
    vec![end, cut_off(application, at)]
}

fn cut_off(application: &str, at: UnixTime) -> Write {
    Write::Revoke(Revocation::client(application, at, remembered_until(at)))
}

fn contended() -> AdminError {
    StoreError::corrupt("the application changes all the time").into()
}

fn client_id() -> Result<String, StoreError> {
    secret::client_id().map_err(|error| StoreError::new("making a client id", error))
}

impl fmt::Debug for Applications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applications").finish_non_exhaustive()
    }
}
