-- What partners sent: the journal of activities, and the copies made from them.

CREATE TABLE journal (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    partner TEXT NOT NULL,
    activity_id TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    body TEXT,
    object TEXT,
    received_at INTEGER NOT NULL,
    receipt TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    fence INTEGER NOT NULL DEFAULT 0,
    problem TEXT,
    finished_at INTEGER,
    UNIQUE (partner, activity_id)
) STRICT;
CREATE INDEX journal_open ON journal (next_at, number) WHERE state IN ('pending', 'working');
CREATE INDEX journal_by_object ON journal (object);
CREATE INDEX journal_by_partner ON journal (partner, number);

-- A grow-only register per record of a partner: the highest revision wins, a tombstone stays for ever.
CREATE TABLE copy (
    id TEXT NOT NULL PRIMARY KEY,
    domain TEXT NOT NULL,
    authority TEXT NOT NULL,
    class TEXT NOT NULL,
    segment TEXT NOT NULL,
    key TEXT NOT NULL,
    process TEXT,
    parent TEXT,
    revision INTEGER NOT NULL,
    standing TEXT NOT NULL,
    record TEXT,
    sealed BLOB NOT NULL,
    digest TEXT NOT NULL,
    rival_digest TEXT,
    dated_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    confirmed_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX copy_by_key ON copy (domain, segment, key);
CREATE INDEX copy_by_domain ON copy (domain, id);
CREATE INDEX copy_by_class ON copy (class, dated_at, id);
CREATE INDEX copy_by_process ON copy (process, dated_at, id);
CREATE INDEX copy_by_parent ON copy (parent, dated_at, id);
