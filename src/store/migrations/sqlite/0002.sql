-- In which order revocations were written, and when: for whoever keeps up with them.

-- One row. The epoch tells the places of this file from those of a backup of it.
CREATE TABLE feed (
    epoch TEXT NOT NULL,
    last INTEGER NOT NULL -- the last place that was given
) STRICT;

ALTER TABLE revocation ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revocation ADD COLUMN written_at INTEGER NOT NULL DEFAULT 0; -- milliseconds since 1970

UPDATE revocation SET place = numbered.place FROM
    (SELECT kind, id, row_number() OVER (ORDER BY kind, id) AS place FROM revocation) AS numbered
    WHERE revocation.kind = numbered.kind AND revocation.id = numbered.id;
INSERT INTO feed (epoch, last) SELECT '', count(*) FROM revocation;

CREATE INDEX revocation_by_place ON revocation (place);
