-- Partners, what each of them is due and holds, letters to them, and the log of answered exchanges.

CREATE TABLE partner (
    domain TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT NOT NULL,
    inbox TEXT NOT NULL,
    records TEXT,
    key TEXT COLLATE "C",
    key_id TEXT COLLATE "C",
    rsa TEXT,
    rsa_id TEXT COLLATE "C",
    follows_us TEXT COLLATE "C" NOT NULL,
    followed TEXT COLLATE "C" NOT NULL,
    since TIMESTAMPTZ NOT NULL,
    failures BIGINT NOT NULL DEFAULT 0,
    failing_since TIMESTAMPTZ,
    blocked TEXT,
    next_probe TIMESTAMPTZ,
    last_success TIMESTAMPTZ,
    backfill_next TEXT,
    backfill_at TIMESTAMPTZ,
    claimed_at TIMESTAMPTZ,
    stream_pass BIGINT NOT NULL DEFAULT 0
);

-- One row per (partner, record): delivery queue, order, compaction and ledger in one.
-- `offered` once it was on its way at all: from then on the partner holds it or may hold it.
-- `pass` and `page` name the page of the records stream that carried it; the page until it is acknowledged.
CREATE TABLE disclosure (
    partner TEXT COLLATE "C" NOT NULL REFERENCES partner (domain),
    record TEXT COLLATE "C" NOT NULL,
    class TEXT COLLATE "C" NOT NULL,
    due_revision BIGINT NOT NULL,
    due_kind TEXT COLLATE "C" NOT NULL,
    priority BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    offered BOOLEAN NOT NULL DEFAULT FALSE,
    acked_revision BIGINT,
    acked_digest TEXT COLLATE "C",
    acked_at TIMESTAMPTZ,
    attempts BIGINT NOT NULL DEFAULT 0,
    planned_at TIMESTAMPTZ NOT NULL,
    next_at TIMESTAMPTZ NOT NULL,
    lease_until TIMESTAMPTZ,
    lease_holder TEXT,
    fence BIGINT NOT NULL DEFAULT 0,
    last_status BIGINT,
    last_answer TEXT,
    receipt TEXT,
    purge_receipt TEXT,
    pass BIGINT,
    page BIGINT,
    page_revision BIGINT,
    page_digest TEXT COLLATE "C",
    PRIMARY KEY (partner, record)
);
CREATE INDEX disclosure_open ON disclosure (partner, priority, next_at)
    WHERE state IN ('due', 'sending', 'unconfirmed', 'purge-asked');
CREATE INDEX disclosure_on_its_way ON disclosure (partner, lease_until) WHERE state = 'sending';
CREATE INDEX disclosure_by_record ON disclosure (record);
CREATE INDEX disclosure_by_page ON disclosure (partner, page) WHERE page IS NOT NULL;

CREATE TABLE letter (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner TEXT COLLATE "C" NOT NULL REFERENCES partner (domain),
    activity_id TEXT COLLATE "C" NOT NULL,
    body TEXT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    written_at TIMESTAMPTZ NOT NULL,
    next_at TIMESTAMPTZ NOT NULL,
    lease_until TIMESTAMPTZ,
    fence BIGINT NOT NULL DEFAULT 0,
    last_status BIGINT,
    last_answer TEXT,
    UNIQUE (partner, activity_id)
);
CREATE INDEX letter_open ON letter (partner, number) WHERE state IN ('due', 'sending');
CREATE INDEX letter_by_activity ON letter (activity_id);

CREATE TABLE exchange (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner TEXT COLLATE "C" NOT NULL,
    record TEXT COLLATE "C",
    revision BIGINT,
    digest TEXT COLLATE "C",
    activity TEXT COLLATE "C" NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    status BIGINT,
    answer TEXT
);
CREATE INDEX exchange_by_partner ON exchange (partner, number);
CREATE INDEX exchange_by_record ON exchange (record, number);
CREATE INDEX exchange_by_activity ON exchange (activity);

-- What was sent in the past stays provable: rows are added, never changed, never removed.
CREATE FUNCTION refuse_because_the_log_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the % log only grows', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER exchange_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_because_the_log_only_grows();
