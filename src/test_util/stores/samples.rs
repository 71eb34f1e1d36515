use std::time::Duration;

use crate::{
    crypto::Algorithm,
    issue::{ApplicationRecord, Door, FamilyId, FamilyRecord, KeyRecord, SecretRecord},
    scope::ScopeSet,
    time::UnixTime,
};

/// A time, in seconds since 1970.
pub(super) const NOW: u64 = 1_800_000_000;

/// The greatest number that every store keeps.
pub(super) const MOST: u64 = i64::MAX as u64;

/// The texts that stores stumble over.
pub(super) fn odd_texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "'; DROP TABLE application; --",
        r#"" '' \' \\ \u0000 \n"#,
        "%_*?[a-z]$1:name@p?1{}",
        " leading and trailing ",
        "tab\tline\r\nend\u{7f}\u{1}",
        "\u{1f511} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "\u{202e}right to left\u{feff}",
        "NULL",
        "00012",
        "1e3",
        "a,b;[\"c\"]",
    ]
    .map(str::to_owned)
    .into();
    texts.push("x".repeat(128));
    texts.push("\u{1f511}".repeat(32));
    texts
}

/// Names that are one and the same to whoever does not compare bytes.
pub(super) const NAMES: &[&str] = &[
    "App1",
    "app1",
    "APP1",
    "App1 ",
    " App1",
    "App\u{ff11}",
    "\u{c4}pp",
    "A\u{308}pp",
    "\u{e4}pp",
    "stra\u{df}e",
    "strasse",
];

pub(super) const fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(seconds)
}

#[expect(clippy::expect_used, reason = "for the scopes of this suite")]
pub(super) fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).expect("these are scope tokens")
}

/// An application of version 1 with one secret, `s1`.
pub(super) fn application(id: &str, name: &str) -> ApplicationRecord {
    ApplicationRecord {
        id: id.to_owned(),
        name: name.to_owned(),
        version: 1,
        enabled: true,
        scopes: scopes("reports:read reports:write"),
        audiences: vec!["https://api.test".to_owned()],
        access_lifetime: Some(Duration::from_secs(600)),
        oauth_refresh: false,
        introspects: false,
        created_at: at(NOW),
        secrets: vec![secret("s1")],
    }
}

/// The same application, one version on.
pub(super) fn next(application: &ApplicationRecord) -> ApplicationRecord {
    ApplicationRecord { version: application.version + 1, ..application.clone() }
}

/// A secret that was not used yet.
pub(super) fn secret(id: &str) -> SecretRecord {
    SecretRecord {
        id: id.to_owned(),
        digest: format!("hmac:1:{id}"),
        label: format!("the label of {id}"),
        created_at: at(NOW),
        expires_at: at(NOW + 1_000_000),
        last_used_at: None,
    }
}

pub(super) fn id(byte: u8) -> FamilyId {
    FamilyId::from_bytes([byte; 16])
}

/// A family of version 1 that `s1` opened.
pub(super) fn family(byte: u8, application: &str) -> FamilyRecord {
    FamilyRecord {
        id: id(byte),
        application: application.to_owned(),
        secret: "s1".to_owned(),
        door: Door::Product,
        scopes: scopes("reports:read"),
        audience: "https://api.test".to_owned(),
        version: 1,
        generation: 0,
        rotated_at: at(NOW),
        grace_used: false,
        grace_run: 0,
        opened_at: at(NOW),
        expires_at: at(NOW + 1_000_000),
        revoked_at: None,
    }
}

/// The same family after a refresh.
pub(super) fn rotated(family: &FamilyRecord) -> FamilyRecord {
    FamilyRecord {
        version: family.version + 1,
        generation: family.generation + 1,
        ..family.clone()
    }
}

pub(super) fn key(id: &str, active_at: u64) -> KeyRecord {
    KeyRecord {
        id: id.to_owned(),
        algorithm: Algorithm::Es256,
        created_at: at(NOW),
        active_at: at(active_at),
        public: Some(format!(r#"{{"kid":"{id}"}}"#)),
        sealed: Some(vec![0, 1, 2, 0, 255]),
        removed_at: None,
        reason: "first".to_owned(),
    }
}
