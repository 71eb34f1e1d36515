use super::{AdminError, Applications, checks, end_everything};
use crate::{
    crypto::random,
    event::{IssuingAction, IssuingEvent},
    issue::{
        application::SecretRecord,
        argon::{Hash, Recipe},
        authenticate,
        secret::{self, GeneratedSecret},
        store::StoreError,
    },
    time::UnixTime,
};

/// What else ends with a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cascade {
    /// Nothing: it was replaced in time.
    No,
    /// What it opened: it may be in wrong hands.
    Yes,
}

/// The most live secrets of one application: the one in use, and the next.
const MAX_SECRETS: usize = 2;

/// The secrets of an application.
impl Applications {
    /// Adds a generated secret, which is shown here and never again. An application has two live
    /// ones at most, so that one can be replaced without an outage: add, deploy,
    /// [revoke](Self::revoke_secret) the old one.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if there is no such application, it has two live secrets, or the store fails.
    pub async fn add_secret(&self, id: &str, label: &str) -> Result<GeneratedSecret, AdminError> {
        checks::label("label", label)?;
        let now = self.core.now();
        let (generated, secret) = self.generate(id, label, now)?;
        self.insert_secret(id, secret, now).await?;
        Ok(generated)
    }

    /// Adds a secret that somebody chose, of at least 15 characters. It is kept as an Argon2id hash
    /// (RFC 9106); prefer [generated](Self::add_secret) ones, which are faster to check, cannot be
    /// guessed, and do not wait for [places](crate::issue::Throttle) that guessers take, too.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if the secret is too short, longer than 512 bytes, has other characters than
    /// printable ASCII (RFC 6749 appendix A.2), or looks like a generated one; and as
    /// [`add_secret`](Self::add_secret).
    pub async fn add_chosen_secret(
        &self,
        id: &str,
        label: &str,
        chosen: &str,
    ) -> Result<(), AdminError> {
        checks::label("label", label)?;
        checks::chosen(chosen)?;
        let record = self.record(id).await?;
        // One hash is to decide about all chosen secrets of an application: they share their salt.
        let others = authenticate::chosen(&record.secrets);
        let salt = match others.first() {
            Some((_, hash)) => hash.recipe.salt(),
            None => random().map_err(|error| StoreError::new("making a salt", error))?,
        };
        let hashed = self.core.hashing.hash(chosen, vec![Recipe::with_salt(salt)]).await;
        let hashed = hashed.map_err(|_| StoreError::corrupt("too many hashes are under way"))?;
        let hashed = hashed.map_err(|error| StoreError::new("hashing a secret", error))?;
        let digest = hashed.first().map(Hash::to_phc).unwrap_or_default();
        let now = self.core.now();
        let secret = self.secret_record(secret_id()?, digest, label, now);
        self.insert_secret(id, secret, now).await
    }

    /// Revokes one secret. What it opened lives on, unless `families` says that it may be in wrong
    /// hands: then its refresh families end, and all access tokens of the application.
    ///
    /// # Errors
    ///
    /// [`AdminError`] if there is no such application or secret, or the store fails.
    pub async fn revoke_secret(
        &self,
        id: &str,
        secret: &str,
        families: Cascade,
    ) -> Result<(), AdminError> {
        let now = self.core.now();
        self.change(id, |record| {
            let before = record.secrets.len();
            record.secrets.retain(|known| known.id != secret);
            if record.secrets.len() == before {
                return Err(AdminError::NoSuchSecret { id: secret.to_owned() });
            }
            Ok(match families {
                Cascade::No => Vec::new(),
                Cascade::Yes => end_everything(id, Some(secret), now),
            })
        })
        .await?;
        if families == Cascade::Yes {
            self.raise_cut_off(id, now).await?;
        }
        let mut event = IssuingEvent::new(IssuingAction::SecretRevoked).of(id);
        event.secret = Some(secret.into());
        self.core.tell(event);
        Ok(())
    }

    async fn insert_secret(
        &self,
        id: &str,
        secret: SecretRecord,
        now: UnixTime,
    ) -> Result<(), AdminError> {
        let mut event = IssuingEvent::new(IssuingAction::SecretAdded).of(id);
        event.secret = Some(secret.id.as_str().into());
        self.change(id, |record| {
            // What has expired makes room.
            record.secrets.retain(|known| known.expires_at > now);
            if record.secrets.len() >= MAX_SECRETS {
                return Err(AdminError::TooManySecrets);
            }
            record.secrets.push(secret.clone());
            Ok(Vec::new())
        })
        .await?;
        self.core.tell(event);
        Ok(())
    }

    pub(super) fn generate(
        &self,
        id: &str,
        label: &str,
        now: UnixTime,
    ) -> Result<(GeneratedSecret, SecretRecord), AdminError> {
        let generated = GeneratedSecret::new(&self.core.settings.secret_prefix)
            .map_err(|error| StoreError::new("making a secret", error))?;
        let digest = secret::digest(&self.core.keys.load().pepper, id, generated.expose());
        let record = self.secret_record(secret_id()?, digest, label, now);
        Ok((generated, record))
    }

    fn secret_record(
        &self,
        id: String,
        digest: String,
        label: &str,
        now: UnixTime,
    ) -> SecretRecord {
        SecretRecord {
            id,
            digest,
            label: label.to_owned(),
            created_at: now,
            expires_at: now.saturating_add(self.core.settings.secret_lifetime),
            last_used_at: None,
        }
    }
}

fn secret_id() -> Result<String, StoreError> {
    secret::secret_id().map_err(|error| StoreError::new("making a secret id", error))
}
