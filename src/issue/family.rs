//! Refresh families: one row for all the refresh tokens that follow from one authentication.

use std::fmt;

use crate::{jws, scope::ScopeSet, time::UnixTime};

/// What a store keeps of a refresh family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyRecord {
    /// The id, which is also the claim `sid` of its access tokens.
    pub id: FamilyId,
    /// The client id of the application.
    pub application: String,
    /// The id of the secret that opened the family.
    pub secret: String,
    /// Where it was opened, and where alone it is refreshed.
    pub door: Door,
    /// What was granted, never more than that.
    pub scopes: ScopeSet,
    /// The audience of its access tokens.
    pub audience: String,
    /// Grows with each change.
    pub version: u64,
    /// The generation of the one refresh token that is current, counted from 0.
    pub generation: u64,
    /// When the current generation began.
    pub rotated_at: UnixTime,
    /// Whether the token before the current one was accepted once more.
    pub grace_used: bool,
    /// In how many generations in a row, up to the current one, that happened.
    pub grace_run: u32,
    /// When the family was opened.
    pub opened_at: UnixTime,
    /// The absolute end, which no rotation extends.
    pub expires_at: UnixTime,
    /// When the family was ended before its time.
    pub revoked_at: Option<UnixTime>,
}

/// 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FamilyId([u8; 16]);

impl FamilyId {
    /// The id with these bytes, as a store kept them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Base64url, 22 characters: the form of the claim `sid`.
impl fmt::Display for FamilyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&jws::encode(self.0))
    }
}

impl fmt::Debug for FamilyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FamilyId({self})")
    }
}

/// Where a family was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Door {
    /// `authenticateApplication`, whose refresh carries no client authentication.
    Product,
    /// The token endpoint of OAuth 2.0, where the client authenticates each time (RFC 6749 section
    /// 6).
    OAuth,
}

impl Door {
    /// A stable name, for stores and events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::OAuth => "oauth",
        }
    }

    /// The door of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Product, Self::OAuth].into_iter().find(|door| door.name() == name)
    }
}
