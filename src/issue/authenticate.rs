//! Who an application is: its name or id, and one of its secrets (RFC 6749 section 2.3).

#[cfg(test)]
mod tests;

use super::{
    application::{ApplicationRecord, SecretRecord},
    argon::{Hash, Recipe},
    error::{Kind, Refusal},
    secret::{self, Digest, Presented, Tags},
    server::Core,
    source::Source,
    store::{Applied, Write},
    throttle::{Guess, Permit},
};
use crate::{
    event::{IssuingAction, IssuingEvent},
    time::UnixTime,
};

/// What an application presents.
#[derive(Clone, Copy)]
pub(super) struct Credentials<'a> {
    pub(super) who: Who<'a>,
    pub(super) secret: &'a str,
    pub(super) source: Source,
}

/// How it is called.
#[derive(Clone, Copy)]
pub(super) enum Who<'a> {
    /// At the endpoints of the product.
    Named(&'a str),
    /// At those of OAuth.
    Id(&'a str),
}

impl<'a> Who<'a> {
    pub(super) const fn text(self) -> &'a str {
        match self {
            Self::Named(text) | Self::Id(text) => text,
        }
    }
}

/// An application that proved who it is.
pub(super) struct Caller {
    pub(super) application: ApplicationRecord,
    /// The id of the secret that it used.
    pub(super) secret: String,
    /// The last use, if it is worth being noted.
    pub(super) used: Option<Write>,
    /// When this was begun: before the application was looked up. A token of that time is revoked
    /// by whoever changed the application later, however long it takes until it is signed.
    pub(super) at: UnixTime,
}

impl Caller {
    fn new(application: ApplicationRecord, secret: &SecretRecord, at: UnixTime) -> Self {
        let used = used(&application.id, secret, at);
        Self { application, secret: secret.id.clone(), used, at }
    }
}

/// The last use of a secret is noted to the minute.
const USE_NOTED_AFTER: u64 = 60;

impl Core {
    /// Whoever fails gets the same refusal, at the same cost, for whatever reason.
    pub(super) async fn authenticate(&self, given: Credentials<'_>) -> Result<Caller, Refusal> {
        let now = self.now();
        let who = given.who.text();
        let permit = self.limiter.admit_by_all(who, given.source, now).await;
        let permit = permit.map_err(|throttled| self.failed(throttled.into(), given, None))?;
        let proof = self.check_credentials(permit, given, now).await;
        let proof = proof.map_err(|(refusal, application)| {
            self.failed(refusal, given, application.as_deref())
        })?;
        let caller = self.renew(proof, given.secret, now).await;
        let mut event = IssuingEvent::new(IssuingAction::Authenticated)
            .of(&caller.application.id)
            .from(given.source);
        event.secret = Some(caller.secret.as_str().into());
        self.tell(event);
        Ok(caller)
    }

    /// A request without anything that could be checked.
    pub(super) fn no_credentials(&self, source: Source) -> Refusal {
        let event = IssuingEvent::new(IssuingAction::AuthenticationFailed).from(source);
        self.refused(Refusal::new(Kind::InvalidClient, "no_credentials"), event)
    }

    fn failed(
        &self,
        refusal: Refusal,
        given: Credentials<'_>,
        application: Option<&str>,
    ) -> Refusal {
        let mut event = IssuingEvent::new(IssuingAction::AuthenticationFailed).from(given.source);
        event.application = application.map(Into::into);
        event.unverified_application =
            Some(given.who.text().chars().take(128).collect::<String>().into());
        self.refused(refusal, event)
    }

    /// It is a guess once the store has answered: before that there is nothing to learn.
    async fn check_credentials(
        &self,
        permit: Permit<'_>,
        given: Credentials<'_>,
        now: UnixTime,
    ) -> Result<Proof, Failed> {
        let presented = match Presented::of(given.secret) {
            Presented::Mistyped => {
                permit.begin().failed(now);
                return Err((Refusal::new(Kind::InvalidClient, "mistyped_secret"), None));
            }
            presented => presented,
        };
        let found = match given.who {
            Who::Named(name) => self.application_named(name).await,
            Who::Id(id) => self.application(id).await,
        };
        let found = found.map_err(|error| (error.into(), None))?;
        let guess = permit.begin();
        let outcome = self.compare(found, presented, now).await;
        settle(guess, &outcome, now);
        outcome
    }

    async fn compare(
        &self,
        found: Option<ApplicationRecord>,
        presented: Presented<'_>,
        now: UnixTime,
    ) -> Result<Proof, Failed> {
        let matched = match presented {
            Presented::Generated(secret) => Ok(self.find_generated(found.as_ref(), secret)),
            Presented::Chosen(secret) => self.find_chosen(found.as_ref(), secret).await,
            Presented::Mistyped => Ok(None),
        };
        let id = found.as_ref().map(|application| application.id.clone());
        let refused = |reason| (Refusal::new(Kind::InvalidClient, reason), id.clone());
        let matched = matched.map_err(|refusal| (refusal, id.clone()))?;
        let Some(application) = found else {
            return Err(refused("unknown_application"));
        };
        let Some(Match { place, outdated }) = matched else {
            return Err(refused("wrong_secret"));
        };
        let Some(secret) = application.secrets.get(place).cloned() else {
            return Err(refused("wrong_secret"));
        };
        check_standing(&application, &secret, now).map_err(refused)?;
        Ok(Proof { application, secret, place, outdated })
    }

    /// Looks again at an application that proved who it is and was changed since: nothing was wrong
    /// with its secret, but perhaps it was revoked.
    pub(super) async fn look_again(
        &self,
        caller: Caller,
        given: Credentials<'_>,
    ) -> Result<Caller, Refusal> {
        let (now, id) = (self.now(), caller.application.id);
        let refused = |refusal| self.failed(refusal, given, Some(&id));
        let invalid = |reason| refused(Refusal::new(Kind::InvalidClient, reason));
        let application =
            self.store.application(&id).await.map_err(|error| refused(error.into()))?;
        let application = application.ok_or_else(|| invalid("unknown_application"))?;
        let mut secrets = application.secrets.iter();
        let secret = secrets.find(|known| known.id == caller.secret).cloned();
        let secret = secret.ok_or_else(|| invalid("wrong_secret"))?;
        check_standing(&application, &secret, now).map_err(invalid)?;
        Ok(Caller::new(application, &secret, now))
    }

    /// The generated secret that this is, if any. The same work is done for an application that
    /// does not exist.
    fn find_generated(&self, found: Option<&ApplicationRecord>, secret: &str) -> Option<Match> {
        const NOBODY: &str = "app_0000000000000000000000";
        let keys = self.keys.load();
        let id = found.map_or(NOBODY, |application| &application.id);
        let tags = Tags::of(&keys.pepper, id, secret);
        let secrets = found.map_or(&[][..], |application| &application.secrets);
        let is_it = |known: &SecretRecord| match Digest::parse(&known.digest) {
            Some(Digest::Hmac { tag, pepper }) if tags.contain(pepper, &tag) => Some(pepper),
            _ => None,
        };
        let mut places = secrets.iter().enumerate();
        let (place, pepper) = places.find_map(|(place, known)| Some((place, is_it(known)?)))?;
        let is_outdated = pepper != keys.pepper.current().0;
        Some(Match { place, outdated: is_outdated.then_some(Outdated::Tag) })
    }

    /// The chosen secret that this is, if any. One hash decides about all chosen secrets of an
    /// application, as they share their salt; one is computed for an application that does not
    /// exist, too.
    async fn find_chosen(
        &self,
        found: Option<&ApplicationRecord>,
        secret: &str,
    ) -> Result<Option<Match>, Refusal> {
        let known = chosen(found.map_or(&[][..], |application| &application.secrets));
        let mut recipes: Vec<Recipe> = known.iter().map(|(_, hash)| hash.recipe).collect();
        recipes.dedup();
        if recipes.is_empty() {
            recipes.push(Recipe::with_salt([0; 16]));
        }
        let busy = std::time::Duration::from_secs(1);
        let hashes = self.hashing.hash(secret, recipes).await;
        let hashes = hashes.map_err(|_| Refusal::new(Kind::Throttled(busy), "busy"))?;
        let hashes = hashes.map_err(|error| Refusal::unavailable("not_hashed", error))?;
        let is_it = |known: &Hash| hashes.iter().fold(false, |any, hash| any | hash.is(known));
        let found = known.into_iter().find(|(_, known)| is_it(known));
        Ok(found.map(|(place, Hash { recipe, .. })| {
            let outdated = recipe.is_outdated().then(|| Outdated::Hash { salt: recipe.salt() });
            Match { place, outdated }
        }))
    }

    /// Keeps the digest that a secret would get today, if nothing comes between; it is no fault if
    /// something does.
    async fn renew(&self, proof: Proof, secret: &str, now: UnixTime) -> Caller {
        let Proof { application, secret: known, place, outdated } = proof;
        let application = match outdated {
            Some(outdated) => match self.newer_digest(&application.id, secret, outdated).await {
                Some(digest) => self.keep_digest(application, place, digest).await,
                None => application,
            },
            None => application,
        };
        Caller::new(application, &known, now)
    }

    async fn newer_digest(&self, id: &str, secret: &str, outdated: Outdated) -> Option<String> {
        match outdated {
            Outdated::Tag => Some(secret::digest(&self.keys.load().pepper, id, secret)),
            Outdated::Hash { salt } => {
                let newer = self.hashing.hash(secret, vec![Recipe::with_salt(salt)]).await;
                newer.ok()?.ok()?.first().map(Hash::to_phc)
            }
        }
    }

    async fn keep_digest(
        &self,
        application: ApplicationRecord,
        place: usize,
        digest: String,
    ) -> ApplicationRecord {
        let mut newer = application.clone();
        newer.version = newer.version.saturating_add(1);
        if let Some(secret) = newer.secrets.get_mut(place) {
            secret.digest = digest;
        }
        match self.store.apply(vec![Write::ReplaceApplication(newer.clone())]).await {
            Ok(Applied::Done) => {
                let mut event = IssuingEvent::new(IssuingAction::SecretRehashed).of(&newer.id);
                event.secret = newer.secrets.get(place).map(|secret| secret.id.as_str().into());
                self.tell(event);
                newer
            }
            _ => application,
        }
    }
}

/// Why an application is not believed, and which one it was said to be, if that exists.
type Failed = (Refusal, Option<String>);

/// An application that proved who it is, and the secret that it proved it with.
struct Proof {
    application: ApplicationRecord,
    secret: SecretRecord,
    place: usize,
    outdated: Option<Outdated>,
}

/// A secret that was found.
struct Match {
    place: usize,
    outdated: Option<Outdated>,
}

/// Why a secret would get another digest today.
enum Outdated {
    /// The pepper is not the first.
    Tag,
    /// The cost is another.
    Hash { salt: [u8; 16] },
}

/// The chosen secrets among these, with their places.
pub(super) fn chosen(secrets: &[SecretRecord]) -> Vec<(usize, Hash)> {
    let read = |(place, secret): (usize, &SecretRecord)| match Digest::parse(&secret.digest) {
        Some(Digest::Argon(hash)) => Some((place, hash)),
        _ => None,
    };
    secrets.iter().enumerate().filter_map(read).collect()
}

/// Whether a secret that is the right one is good at this time.
fn check_standing(
    application: &ApplicationRecord,
    secret: &SecretRecord,
    now: UnixTime,
) -> Result<(), &'static str> {
    if now >= secret.expires_at {
        return Err("expired_secret");
    }
    if !application.enabled {
        return Err("disabled_application");
    }
    Ok(())
}

fn used(application: &str, secret: &SecretRecord, now: UnixTime) -> Option<Write> {
    let is_recent = |last: UnixTime| now.since(last).as_secs() < USE_NOTED_AFTER;
    (!secret.last_used_at.is_some_and(is_recent)).then(|| Write::SecretUsed {
        application: application.to_owned(),
        secret: secret.id.clone(),
        at: now,
    })
}

/// Tells the throttle how it went. An outage is nobody's failure.
fn settle(guess: Guess<'_>, outcome: &Result<Proof, Failed>, now: UnixTime) {
    match outcome {
        Ok(_) => guess.succeeded(now),
        Err((Refusal { kind: Kind::InvalidClient, .. }, _)) => guess.failed(now),
        Err(_) => guess.withdrawn(),
    }
}
