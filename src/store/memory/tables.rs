use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
};

use super::revoked::{Placed, Revoked};
use crate::{
    issue::{ApplicationRecord, Applied, FamilyId, FamilyRecord, KeyRecord, Past, Write},
    revocation::{Revocation, RevocationCursor, RevocationKind, RevocationPage},
    time::UnixTime,
};

/// Everything that is kept.
#[derive(Default)]
pub(super) struct Tables {
    applications: BTreeMap<String, ApplicationRecord>,
    /// The ids by name.
    names: HashMap<String, String>,
    families: HashMap<FamilyId, FamilyRecord>,
    /// The families of each application: those that are not revoked first, and of these the ones
    /// that were opened last.
    opened: BTreeSet<(String, bool, Reverse<UnixTime>, FamilyId)>,
    keys: BTreeMap<String, KeyRecord>,
    revocations: Revoked,
}

/// What is kept under an id; `None` if nothing is.
enum Entry {
    Application(String, Option<ApplicationRecord>),
    Family(FamilyId, Option<FamilyRecord>),
    Key(String, Option<KeyRecord>),
    Revocation((RevocationKind, String), Option<Placed>),
}

/// The condition of a write does not hold.
struct Conflict;

impl Tables {
    pub(super) fn apply(&mut self, writes: Vec<Write>) -> Applied {
        let mut batch = Batch { tables: self, undo: Vec::new() };
        for write in writes {
            if batch.write(write).is_err() {
                batch.take_back();
                return Applied::Conflict;
            }
        }
        Applied::Done
    }

    pub(super) fn application(&self, id: &str) -> Option<&ApplicationRecord> {
        self.applications.get(id)
    }

    pub(super) fn application_named(&self, name: &str) -> Option<&ApplicationRecord> {
        self.names.get(name).and_then(|id| self.applications.get(id))
    }

    pub(super) fn applications(&self, after: Option<&str>, limit: usize) -> Vec<ApplicationRecord> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let later = self.applications.range::<str, _>((start, Bound::Unbounded));
        later.take(limit).map(|(_, application)| application.clone()).collect()
    }

    pub(super) fn family(&self, id: FamilyId) -> Option<&FamilyRecord> {
        self.families.get(&id)
    }

    pub(super) fn families(&self, after: Option<FamilyId>, limit: usize) -> Vec<FamilyRecord> {
        let is_later = |id: &&FamilyId| after.is_none_or(|after| after < **id);
        let mut ids: Vec<_> = self.families.keys().filter(is_later).collect();
        ids.sort_unstable();
        ids.into_iter().take(limit).filter_map(|id| self.families.get(id)).cloned().collect()
    }

    pub(super) fn live_families(
        &self,
        application: &str,
        now: UnixTime,
        skip: usize,
        limit: usize,
    ) -> Vec<FamilyRecord> {
        self.unrevoked_families_of(application)
            .filter(|family| now < family.expires_at)
            .skip(skip)
            .take(limit)
            .cloned()
            .collect()
    }

    /// Does not look at those that are revoked, which are many more in the long run.
    fn unrevoked_families_of(&self, application: &str) -> impl Iterator<Item = &FamilyRecord> {
        self.families_of(application).take_while(|family| family.revoked_at.is_none())
    }

    fn families_of(&self, application: &str) -> impl Iterator<Item = &FamilyRecord> {
        let latest = Reverse(UnixTime::from_secs(u64::MAX));
        let first = (application.to_owned(), false, latest, FamilyId::from_bytes([0; 16]));
        self.opened
            .range(first..)
            .take_while(move |(owner, ..)| owner == application)
            .filter_map(|(.., id)| self.families.get(id))
    }

    pub(super) fn signing_keys(&self) -> Vec<KeyRecord> {
        let mut keys: Vec<_> = self.keys.values().cloned().collect();
        // They are in the order of their ids, which stays among those of the same second.
        keys.sort_by_key(|key| key.active_at);
        keys
    }

    pub(super) fn revocations_after(
        &self,
        after: Option<&RevocationCursor>,
        limit: usize,
    ) -> RevocationPage {
        self.revocations.after(after, limit)
    }

    pub(super) fn purge(&mut self, past: Past, limit: usize) -> u64 {
        let families =
            self.families.values().filter(|family| family.expires_at < past.families_before);
        let families = families.take(limit).map(|family| Entry::Family(family.id, None));
        let revocations = self.revocations.ended_before(past.revocations_before);
        let revocations = revocations.take(limit).map(|key| Entry::Revocation(key.clone(), None));
        let last = self.last_key().map(|last| &last.id);
        let removed = |key: &&KeyRecord| {
            key.removed_at.is_some_and(|at| at < past.keys_before) && Some(&key.id) != last
        };
        let keys = self.keys.values().filter(removed).take(limit);
        let keys = keys.map(|key| Entry::Key(key.id.clone(), None));
        let old: Vec<_> = families.chain(revocations).chain(keys).collect();
        let count = old.len() as u64;
        for entry in old {
            self.put(entry);
        }
        count
    }

    fn last_key(&self) -> Option<&KeyRecord> {
        self.keys.values().max_by_key(|key| (key.active_at, &key.id))
    }

    /// Puts an entry in its place, and returns the one that was there.
    fn put(&mut self, entry: Entry) -> Entry {
        match entry {
            Entry::Application(id, new) => {
                let old = self.applications.remove(&id);
                if let Some(old) = &old {
                    self.names.remove(&old.name);
                }
                if let Some(new) = new {
                    self.names.insert(new.name.clone(), id.clone());
                    self.applications.insert(id.clone(), new);
                }
                Entry::Application(id, old)
            }
            Entry::Family(id, new) => {
                let old = self.families.remove(&id);
                if let Some(old) = &old {
                    self.opened.remove(&place(old));
                }
                if let Some(new) = new {
                    self.opened.insert(place(&new));
                    self.families.insert(id, new);
                }
                Entry::Family(id, old)
            }
            Entry::Key(id, new) => {
                let old = self.keys.remove(&id);
                self.keys.extend(new.map(|new| (id.clone(), new)));
                Entry::Key(id, old)
            }
            Entry::Revocation(key, new) => {
                let old = self.revocations.put(key.clone(), new);
                Entry::Revocation(key, old)
            }
        }
    }
}

/// Where a family stands among those of its application.
fn place(family: &FamilyRecord) -> (String, bool, Reverse<UnixTime>, FamilyId) {
    let is_revoked = family.revoked_at.is_some();
    (family.application.clone(), is_revoked, Reverse(family.opened_at), family.id)
}

/// Writes that are done together, and what takes them back.
struct Batch<'a> {
    tables: &'a mut Tables,
    undo: Vec<Entry>,
}

impl Batch<'_> {
    fn put(&mut self, entry: Entry) {
        let old = self.tables.put(entry);
        self.undo.push(old);
    }

    fn take_back(self) {
        for entry in self.undo.into_iter().rev() {
            self.tables.put(entry);
        }
    }

    fn write(&mut self, write: Write) -> Result<(), Conflict> {
        match write {
            Write::InsertApplication(new) => self.insert_application(new)?,
            Write::ReplaceApplication(new) => self.replace_application(new)?,
            Write::DeleteApplication { id, version } => self.delete_application(id, version)?,
            Write::SecretUsed { application, secret, at } => {
                self.secret_used(application, &secret, at);
            }
            Write::InsertFamily { family, application_version } => {
                self.insert_family(family, application_version)?;
            }
            Write::ReplaceFamily(new) => self.replace_family(new)?,
            Write::EndFamilies { application, secret, at } => {
                self.end_families(&application, secret.as_deref(), at);
            }
            Write::InsertKey { key, last } => self.insert_key(key, last.as_deref())?,
            Write::ReplaceKey(key) => {
                let old = self.tables.keys.get(&key.id).ok_or(Conflict)?;
                holds(old.removed_at.is_none() || key.removed_at.is_some())?;
                holds(old.sealed.is_some() || key.sealed.is_none())?;
                self.put(Entry::Key(key.id.clone(), Some(key)));
            }
            Write::Revoke(revocation) => self.revoke(revocation),
        }
        Ok(())
    }

    fn insert_application(&mut self, new: ApplicationRecord) -> Result<(), Conflict> {
        holds(self.tables.application(&new.id).is_none())?;
        holds(self.tables.application_named(&new.name).is_none())?;
        self.put(Entry::Application(new.id.clone(), Some(new)));
        Ok(())
    }

    fn replace_application(&mut self, mut new: ApplicationRecord) -> Result<(), Conflict> {
        let old = self.tables.application(&new.id).ok_or(Conflict)?;
        holds(old.version.checked_add(1) == Some(new.version))?;
        let named = self.tables.application_named(&new.name);
        holds(named.is_none_or(|named| named.id == new.id))?;
        for secret in &mut new.secrets {
            let same = old.secrets.iter().find(|old| old.id == secret.id);
            secret.last_used_at = secret.last_used_at.max(same.and_then(|old| old.last_used_at));
        }
        self.put(Entry::Application(new.id.clone(), Some(new)));
        Ok(())
    }

    fn delete_application(&mut self, id: String, version: u64) -> Result<(), Conflict> {
        holds(self.tables.application(&id).is_some_and(|old| old.version == version))?;
        let families: Vec<_> = self.tables.families_of(&id).map(|family| family.id).collect();
        for family in families {
            self.put(Entry::Family(family, None));
        }
        self.put(Entry::Application(id, None));
        Ok(())
    }

    fn secret_used(&mut self, id: String, secret: &str, at: UnixTime) {
        let Some(mut application) = self.tables.application(&id).cloned() else { return };
        if let Some(secret) = application.secrets.iter_mut().find(|known| known.id == secret) {
            secret.last_used_at = secret.last_used_at.max(Some(at));
            self.put(Entry::Application(id, Some(application)));
        }
    }

    fn insert_family(&mut self, new: FamilyRecord, version: u64) -> Result<(), Conflict> {
        holds(self.tables.family(new.id).is_none())?;
        let application = self.tables.application(&new.application);
        holds(application.is_some_and(|application| application.version == version))?;
        self.put(Entry::Family(new.id, Some(new)));
        Ok(())
    }

    fn replace_family(&mut self, new: FamilyRecord) -> Result<(), Conflict> {
        let old = self.tables.family(new.id).ok_or(Conflict)?;
        holds(old.version.checked_add(1) == Some(new.version))?;
        self.put(Entry::Family(new.id, Some(new)));
        Ok(())
    }

    fn end_families(&mut self, application: &str, secret: Option<&str>, at: UnixTime) {
        let of_secret = |family: &&FamilyRecord| secret.is_none_or(|id| id == family.secret);
        let live = self.tables.unrevoked_families_of(application);
        let ended: Vec<_> = live.filter(of_secret).cloned().collect();
        for mut family in ended {
            family.revoked_at = Some(at);
            family.version = family.version.saturating_add(1);
            self.put(Entry::Family(family.id, Some(family)));
        }
    }

    fn insert_key(&mut self, key: KeyRecord, last: Option<&str>) -> Result<(), Conflict> {
        holds(!self.tables.keys.contains_key(&key.id))?;
        holds(self.tables.last_key().map(|key| key.id.as_str()) == last)?;
        self.put(Entry::Key(key.id.clone(), Some(key)));
        Ok(())
    }

    fn revoke(&mut self, new: Revocation) {
        let key = (new.kind(), new.id().to_owned());
        let merged = match self.tables.revocations.get(&key) {
            Some(old) => {
                let (cut_off, until) = (old.cut_off().max(new.cut_off()), old.until());
                Revocation::of(new.kind(), new.id(), cut_off, until.max(new.until())).unwrap_or(new)
            }
            None => new,
        };
        let placed = self.tables.revocations.place(merged);
        self.put(Entry::Revocation(key, Some(placed)));
    }
}

fn holds(condition: bool) -> Result<(), Conflict> {
    if condition { Ok(()) } else { Err(Conflict) }
}
