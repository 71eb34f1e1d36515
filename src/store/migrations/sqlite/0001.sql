-- Times are seconds since 1970, lifetimes are seconds, flags are 0 or 1.

CREATE TABLE application (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    scopes TEXT NOT NULL, -- separated by spaces
    audiences TEXT NOT NULL, -- a JSON array of texts
    access_lifetime INTEGER,
    oauth_refresh INTEGER NOT NULL,
    introspects INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE secret (
    application TEXT NOT NULL REFERENCES application (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    position INTEGER NOT NULL, -- among those of the application
    digest TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_used_at INTEGER,
    PRIMARY KEY (application, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE family (
    id BLOB NOT NULL PRIMARY KEY, -- 16 bytes
    application TEXT NOT NULL REFERENCES application (id) ON DELETE CASCADE,
    secret TEXT NOT NULL, -- not a reference: a secret may go before its families
    door TEXT NOT NULL,
    scopes TEXT NOT NULL, -- separated by spaces
    audience TEXT NOT NULL,
    version INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    rotated_at INTEGER NOT NULL,
    grace_used INTEGER NOT NULL,
    grace_run INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- Those that are revoked stand apart: they are many more in the long run, and not looked for.
CREATE INDEX family_by_application ON family (application, revoked_at, opened_at DESC, id);
CREATE INDEX family_by_end ON family (expires_at);

CREATE TABLE signing_key (
    id TEXT NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    active_at INTEGER NOT NULL,
    public TEXT, -- a JWK
    sealed BLOB, -- encrypted, with the id as associated data
    removed_at INTEGER,
    reason TEXT NOT NULL
) STRICT;

CREATE TABLE revocation (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    cut_off INTEGER,
    until INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX revocation_by_end ON revocation (until);
