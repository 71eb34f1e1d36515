//! Argon2id (RFC 9106), for secrets that a person chose.

use argon2::{Algorithm, Argon2, Params, Version};
use base64_simd::STANDARD_NO_PAD;

use crate::crypto::is_same_tag;

/// A hash with its cost and its salt: the PHC string
/// `$argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<hash>`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Hash {
    pub(super) recipe: Recipe,
    hash: [u8; 32],
}

/// All that a hash depends on but the secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Recipe {
    memory: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; 16],
}

/// The cost of new hashes: 19 MiB, two passes, one lane (OWASP Password Storage cheat sheet).
const COST: (u32, u32, u32) = (19_456, 2, 1);

impl Recipe {
    /// What new hashes are made with.
    pub(super) const fn with_salt(salt: [u8; 16]) -> Self {
        let (memory, passes, lanes) = COST;
        Self { memory, passes, lanes, salt }
    }

    pub(super) const fn salt(&self) -> [u8; 16] {
        self.salt
    }

    /// KiB, passes, lanes.
    pub(super) const fn cost(&self) -> (u32, u32, u32) {
        (self.memory, self.passes, self.lanes)
    }

    /// Whether new hashes are made at another cost.
    pub(super) fn is_outdated(&self) -> bool {
        self.cost() != COST
    }

    /// Hashes a secret; takes tens of milliseconds and 19 MiB.
    pub(super) fn hash(self, secret: &[u8]) -> Option<Hash> {
        let params = Params::new(self.memory, self.passes, self.lanes, Some(32)).ok()?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut hash = [0; 32];
        argon.hash_password_into(secret, &self.salt, &mut hash).ok()?;
        Some(Hash { recipe: self, hash })
    }
}

impl Hash {
    /// Whether it is the same hash; compared in constant time.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.recipe == other.recipe && is_same_tag(&self.hash, &other.hash)
    }

    pub(super) fn to_phc(&self) -> String {
        let Recipe { memory, passes, lanes, salt } = &self.recipe;
        let (salt, hash) =
            (STANDARD_NO_PAD.encode_to_string(salt), STANDARD_NO_PAD.encode_to_string(self.hash));
        format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${hash}")
    }

    /// Reads what [`to_phc`](Self::to_phc) wrote, with any cost up to sixteen times that of today:
    /// the store is not to make the server work without bound.
    pub(super) fn parse(phc: &str) -> Option<Self> {
        let mut parts = phc.strip_prefix("$argon2id$v=19$")?.split('$');
        let (cost, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let mut numbers =
            ["m=", "t=", "p="].into_iter().zip(cost.split(',')).map(|(name, part)| {
                part.strip_prefix(name)?.parse::<u32>().ok().filter(|number| *number > 0)
            });
        let (memory, passes, lanes) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let work = u64::from(memory) * u64::from(passes);
        if parts.next().is_some() || work > 16 * u64::from(COST.0) * u64::from(COST.1) || lanes > 16
        {
            return None;
        }
        let bytes = |text: &str| STANDARD_NO_PAD.decode_to_vec(text).ok();
        let salt = bytes(salt)?.try_into().ok()?;
        let hash = bytes(hash)?.try_into().ok()?;
        Some(Self { recipe: Recipe { memory, passes, lanes, salt }, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_back_as_it_was_written() {
        let recipe = Recipe { memory: 64, passes: 1, lanes: 1, salt: [1; 16] };
        let hash = recipe.hash(b"correct horse battery").unwrap();
        let text = hash.to_phc();
        assert!(text.starts_with("$argon2id$v=19$m=64,t=1,p=1$AQEBAQEBAQEBAQEBAQEBAQ$"), "{text}");
        assert!(Hash::parse(&text).unwrap().is(&hash));
        assert!(!recipe.hash(b"correct horse batterz").unwrap().is(&hash));
        assert!(recipe.is_outdated());
    }

    #[test]
    fn odd_texts_are_no_hashes() {
        let salt = "AQEBAQEBAQEBAQEBAQEBAQ";
        let hash = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
        let phc = |cost: &str| format!("$argon2id$v=19${cost}${salt}${hash}");
        assert!(Hash::parse(&phc("m=64,t=1,p=1")).is_some());
        for odd in [
            "",
            "m=64",
            "m=0,t=1,p=1",
            "m=64,t=1,p=17",
            "m=4294967295,t=2,p=1",
            "t=1,m=64,p=1",
            "m=-1,t=1,p=1",
        ] {
            assert!(Hash::parse(&phc(odd)).is_none(), "{odd}");
        }
        assert!(Hash::parse(&phc("m=64,t=1,p=1").replace("2id", "2i")).is_none());
        assert!(Hash::parse(&format!("{}$x", phc("m=64,t=1,p=1"))).is_none());
        assert!(Hash::parse(&phc("m=64,t=1,p=1").replace(hash, "AQE")).is_none());
    }
}
