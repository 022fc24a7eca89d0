-- Partners, what each of them is due and holds, letters to them, and the log of answered exchanges.

CREATE TABLE partner (
    domain TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    inbox TEXT NOT NULL,
    records TEXT,
    key TEXT,
    key_id TEXT,
    rsa TEXT,
    rsa_id TEXT,
    follows_us TEXT NOT NULL,
    followed TEXT NOT NULL,
    since INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER,
    blocked TEXT,
    next_probe INTEGER,
    last_success INTEGER,
    backfill_next TEXT,
    backfill_at INTEGER,
    claimed_at INTEGER,
    stream_pass INTEGER NOT NULL DEFAULT 0
) STRICT;

-- One row per (partner, record): delivery queue, order, compaction and ledger in one.
-- `offered` once it was on its way at all: from then on the partner holds it or may hold it.
-- `pass` and `page` name the page of the records stream that carried it; the page until it is acknowledged.
CREATE TABLE disclosure (
    partner TEXT NOT NULL REFERENCES partner (domain),
    record TEXT NOT NULL,
    class TEXT NOT NULL,
    due_revision INTEGER NOT NULL,
    due_kind TEXT NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL,
    offered INTEGER NOT NULL DEFAULT 0 CHECK (offered IN (0, 1)),
    acked_revision INTEGER,
    acked_digest TEXT,
    acked_at INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    planned_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    lease_until INTEGER,
    lease_holder TEXT,
    fence INTEGER NOT NULL DEFAULT 0,
    last_status INTEGER,
    last_answer TEXT,
    receipt TEXT,
    purge_receipt TEXT,
    pass INTEGER,
    page INTEGER,
    page_revision INTEGER,
    page_digest TEXT,
    PRIMARY KEY (partner, record)
) STRICT;
CREATE INDEX disclosure_open ON disclosure (partner, priority, next_at)
    WHERE state IN ('due', 'sending', 'unconfirmed', 'purge-asked');
CREATE INDEX disclosure_on_its_way ON disclosure (partner, lease_until) WHERE state = 'sending';
CREATE INDEX disclosure_by_record ON disclosure (record);
CREATE INDEX disclosure_by_page ON disclosure (partner, page) WHERE page IS NOT NULL;

CREATE TABLE letter (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    partner TEXT NOT NULL REFERENCES partner (domain),
    activity_id TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    written_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    lease_until INTEGER,
    fence INTEGER NOT NULL DEFAULT 0,
    last_status INTEGER,
    last_answer TEXT,
    UNIQUE (partner, activity_id)
) STRICT;
CREATE INDEX letter_open ON letter (partner, number) WHERE state IN ('due', 'sending');
CREATE INDEX letter_by_activity ON letter (activity_id);

CREATE TABLE exchange (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    partner TEXT NOT NULL,
    record TEXT,
    revision INTEGER,
    digest TEXT,
    activity TEXT NOT NULL,
    at INTEGER NOT NULL,
    status INTEGER,
    answer TEXT
) STRICT;
CREATE INDEX exchange_by_partner ON exchange (partner, number);
CREATE INDEX exchange_by_record ON exchange (record, number);
CREATE INDEX exchange_by_activity ON exchange (activity);

-- What was sent in the past stays provable: rows are added, never changed, never removed.
CREATE TRIGGER exchange_is_never_changed BEFORE UPDATE ON exchange
BEGIN
    SELECT RAISE(ABORT, 'the exchange log only grows');
END;
CREATE TRIGGER exchange_is_never_removed BEFORE DELETE ON exchange
BEGIN
    SELECT RAISE(ABORT, 'the exchange log only grows');
END;
