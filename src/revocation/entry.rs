use crate::time::UnixTime;

/// What is revoked, and until when that must be remembered.
///
/// It must be remembered as long as any token that it is about could be accepted: until the `exp` of
/// the last of them, and 300 s more, the most that [clocks may differ](crate::Issuer::leeway).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Revocation {
    kind: RevocationKind,
    id: Box<str>,
    cut_off: Option<UnixTime>,
    until: UnixTime,
}

/// What kind of thing is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevocationKind {
    /// One token, by its id (`jti`).
    Token,
    /// All tokens of one session (`sid`), which is one family of refresh tokens.
    Family,
    /// The tokens of one client (`client_id`) up to a time.
    Client,
    /// All tokens of the issuer up to a time.
    Issuer,
}

impl Revocation {
    /// One token, by its id (`jti`).
    pub fn token(id: impl Into<String>, until: UnixTime) -> Self {
        Self::new(RevocationKind::Token, id.into(), None, until)
    }

    /// All tokens of one session (`sid`), which is one family of refresh tokens.
    pub fn family(id: impl Into<String>, until: UnixTime) -> Self {
        Self::new(RevocationKind::Family, id.into(), None, until)
    }

    /// The tokens of one client (`client_id`) that were issued (`iat`) at `cut_off` or before. A
    /// token that does not say when is one of them; one that does not say whose is not.
    pub fn client(id: impl Into<String>, cut_off: UnixTime, until: UnixTime) -> Self {
        Self::new(RevocationKind::Client, id.into(), Some(cut_off), until)
    }

    /// All tokens that were issued (`iat`) at `cut_off` or before. A token that does not say when is
    /// one of them.
    pub fn issuer(cut_off: UnixTime, until: UnixTime) -> Self {
        Self::new(RevocationKind::Issuer, String::new(), Some(cut_off), until)
    }

    fn new(kind: RevocationKind, id: String, cut_off: Option<UnixTime>, until: UnixTime) -> Self {
        Self { kind, id: id.into(), cut_off, until }
    }

    /// The revocation of these parts; `None` if a kind that has a cut-off is without one.
    #[cfg(any(feature = "issue", all(feature = "remote-keys", feature = "revocation-feed")))]
    pub(crate) fn of(
        kind: RevocationKind,
        id: &str,
        cut_off: Option<UnixTime>,
        until: UnixTime,
    ) -> Option<Self> {
        Some(match kind {
            RevocationKind::Token => Self::token(id, until),
            RevocationKind::Family => Self::family(id, until),
            RevocationKind::Client => Self::client(id, cut_off?, until),
            RevocationKind::Issuer => Self::issuer(cut_off?, until),
        })
    }

    /// What kind of thing is revoked.
    #[must_use]
    pub fn kind(&self) -> RevocationKind {
        self.kind
    }

    /// The id of the token, the family or the client; empty for the issuer.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The latest `iat` that is revoked, of a client or of the issuer.
    #[must_use]
    pub fn cut_off(&self) -> Option<UnixTime> {
        self.cut_off
    }

    /// Until when it must be remembered.
    #[must_use]
    pub fn until(&self) -> UnixTime {
        self.until
    }

    pub(super) fn into_id(self) -> Box<str> {
        self.id
    }
}

impl RevocationKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::Token, Self::Family, Self::Client, Self::Issuer];

    /// The name for stores, never changed once released.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Family => "family",
            Self::Client => "client",
            Self::Issuer => "issuer",
        }
    }

    /// The kind of this [name](Self::name), if there is one.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}
