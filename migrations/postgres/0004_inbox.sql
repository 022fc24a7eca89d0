-- What partners sent: the journal of activities, and the copies made from them.

CREATE TABLE journal (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner TEXT COLLATE "C" NOT NULL,
    activity_id TEXT COLLATE "C" NOT NULL,
    body_hash BYTEA NOT NULL,
    body TEXT,
    object TEXT COLLATE "C",
    received_at TIMESTAMPTZ NOT NULL,
    receipt TEXT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_at TIMESTAMPTZ NOT NULL,
    fence BIGINT NOT NULL DEFAULT 0,
    problem TEXT,
    finished_at TIMESTAMPTZ,
    UNIQUE (partner, activity_id)
);
CREATE INDEX journal_open ON journal (next_at, number) WHERE state IN ('pending', 'working');
CREATE INDEX journal_by_object ON journal (object);
CREATE INDEX journal_by_partner ON journal (partner, number);

-- A grow-only register per record of a partner: the highest revision wins, a tombstone stays for ever.
CREATE TABLE copy (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    domain TEXT COLLATE "C" NOT NULL,
    authority TEXT COLLATE "C" NOT NULL,
    class TEXT COLLATE "C" NOT NULL,
    segment TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    process TEXT COLLATE "C",
    parent TEXT COLLATE "C",
    revision BIGINT NOT NULL,
    standing TEXT COLLATE "C" NOT NULL,
    record JSONB,
    sealed BYTEA NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    rival_digest TEXT COLLATE "C",
    dated_at TIMESTAMPTZ NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    confirmed_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX copy_by_key ON copy (domain, segment, key);
CREATE INDEX copy_by_domain ON copy (domain, id);
CREATE INDEX copy_by_class ON copy (class, dated_at, id);
CREATE INDEX copy_by_process ON copy (process, dated_at, id);
CREATE INDEX copy_by_parent ON copy (parent, dated_at, id);
