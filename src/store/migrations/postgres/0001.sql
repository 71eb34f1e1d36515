-- Times are seconds since 1970, lifetimes are seconds. Texts are compared byte for byte.

CREATE TABLE application (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    version BIGINT NOT NULL,
    enabled BOOLEAN NOT NULL,
    scopes TEXT NOT NULL, -- separated by spaces
    audiences TEXT[] NOT NULL,
    access_lifetime BIGINT,
    oauth_refresh BOOLEAN NOT NULL,
    introspects BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE secret (
    application TEXT COLLATE "C" NOT NULL REFERENCES application (id) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL, -- among those of the application
    digest TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT,
    PRIMARY KEY (application, id)
);

-- Rows that change with each refresh have room beside them, so that indexes need not.
CREATE TABLE family (
    id BYTEA NOT NULL PRIMARY KEY, -- 16 bytes
    application TEXT COLLATE "C" NOT NULL REFERENCES application (id) ON DELETE CASCADE,
    secret TEXT NOT NULL, -- not a reference: a secret may go before its families
    door TEXT NOT NULL,
    scopes TEXT NOT NULL, -- separated by spaces
    audience TEXT NOT NULL,
    version BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    grace_used BOOLEAN NOT NULL,
    grace_run BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
) WITH (fillfactor = 70);

-- Those that are revoked stand apart: they are many more in the long run, and not looked for.
CREATE INDEX family_by_application ON family (application, opened_at DESC, id)
    WHERE revoked_at IS NULL;
-- For the applications that are deleted.
CREATE INDEX family_of_application ON family (application);
CREATE INDEX family_by_end ON family (expires_at);

CREATE TABLE signing_key (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    active_at BIGINT NOT NULL,
    public TEXT, -- a JWK
    sealed BYTEA, -- encrypted, with the id as associated data
    removed_at BIGINT,
    reason TEXT NOT NULL
);

-- In the order of the transactions that wrote them, which is not that in which these ended: whoever
-- follows reads again what a transaction may have written that was under way.
CREATE SEQUENCE revocation_place;

CREATE TABLE revocation (
    kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    cut_off BIGINT,
    until BIGINT NOT NULL,
    transaction BIGINT NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    place BIGINT NOT NULL DEFAULT nextval('revocation_place'),
    written_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (kind, id)
);

CREATE INDEX revocation_by_place ON revocation (transaction, place);
CREATE INDEX revocation_by_end ON revocation (until);

-- Failed guesses, for the other servers. Places are in the order in which they can be read: whoever adds
-- some has a lock, and keeps it until they can. It need not survive a crash.
CREATE SEQUENCE guess_place;

CREATE UNLOGGED TABLE guess (
    place BIGINT NOT NULL PRIMARY KEY DEFAULT nextval('guess_place'),
    server BIGINT NOT NULL,
    pair BIGINT, -- keyed hashes of application and source, and of the source
    source BIGINT,
    failures BIGINT NOT NULL, -- 0 is a success
    written_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);
