//! Who an application is: its name or id, and one of its secrets (RFC 6749 section 2.3).

use super::{
    application::{ApplicationRecord, SecretRecord},
    argon::{Hash, Recipe},
    error::{Kind, Refusal},
    secret::{self, Digest, Presented, Tags},
    server::Core,
    source::Source,
    store::{Applied, Write},
    throttle::Permit,
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
        let outcome = self.check_credentials(given, now).await;
        settle(permit, &outcome, now);
        match outcome {
            Ok(caller) => {
                let mut event = IssuingEvent::new(IssuingAction::Authenticated)
                    .of(&caller.application.id)
                    .from(given.source);
                event.secret = Some(caller.secret.as_str().into());
                self.tell(event);
                Ok(caller)
            }
            Err((refusal, application)) => Err(self.failed(refusal, given, application.as_deref())),
        }
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

    async fn check_credentials(
        &self,
        given: Credentials<'_>,
        now: UnixTime,
    ) -> Result<Caller, Failed> {
        let invalid = |reason| (Refusal::new(Kind::InvalidClient, reason), None);
        let presented = match Presented::of(given.secret) {
            Presented::Mistyped => return Err(invalid("mistyped_secret")),
            presented => presented,
        };
        let found = match given.who {
            Who::Named(name) => self.application_named(name).await,
            Who::Id(id) => self.store.application(id).await,
        };
        let found = found.map_err(|error| (error.into(), None))?;
        let matched = match presented {
            Presented::Generated(secret) => Ok(self.find_generated(found.as_ref(), secret)),
            Presented::Chosen(secret) => self.find_chosen(found.as_ref(), secret).await,
            Presented::Mistyped => Ok(None),
        };
        let Some(application) = found else {
            matched.map_err(|refusal| (refusal, None))?;
            return Err(invalid("unknown_application"));
        };
        let id = application.id.clone();
        let refused = |reason| (Refusal::new(Kind::InvalidClient, reason), Some(id.clone()));
        let matched = matched.map_err(|refusal| (refusal, Some(id.clone())))?;
        let Some(Match { place, digest }) = matched else {
            return Err(refused("wrong_secret"));
        };
        let Some(secret) = application.secrets.get(place).cloned() else {
            return Err(refused("wrong_secret"));
        };
        check_standing(&application, &secret, now).map_err(refused)?;
        let application = match digest {
            Some(digest) => self.rehash(application, place, digest).await,
            None => application,
        };
        Ok(Caller::new(application, &secret, now))
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
        let outdated = pepper != keys.pepper.current().0;
        Some(Match { place, digest: outdated.then(|| secret::digest(&keys.pepper, id, secret)) })
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
        let Some((place, known)) = known.iter().find(|(_, known)| is_it(known)) else {
            return Ok(None);
        };
        if !known.recipe.is_outdated() {
            return Ok(Some(Match { place: *place, digest: None }));
        }
        let newer = vec![Recipe::with_salt(known.recipe.salt())];
        let newer = self.hashing.hash(secret, newer).await.ok().and_then(Result::ok);
        let digest = newer.and_then(|hashes| hashes.first().map(Hash::to_phc));
        Ok(Some(Match { place: *place, digest }))
    }

    /// Keeps the digest that a secret would get today, if nothing comes between; it is no fault if
    /// something does.
    async fn rehash(
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

/// A secret that was found, and the digest that it would get today, if that is another one.
struct Match {
    place: usize,
    digest: Option<String>,
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
fn settle(permit: Permit<'_>, outcome: &Result<Caller, Failed>, now: UnixTime) {
    match outcome {
        Ok(_) => permit.succeeded(now),
        Err((Refusal { kind: Kind::InvalidClient, .. }, _)) => permit.failed(now),
        Err(_) => permit.withdrawn(),
    }
}
