-- What the last scans of each platform saw, the runs themselves, and leases so that two never overlap.

CREATE TABLE item (
    platform TEXT COLLATE "C" NOT NULL,
    entity TEXT COLLATE "C" NOT NULL,
    local_id TEXT COLLATE "C" NOT NULL,
    fingerprint BYTEA NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    reason TEXT,
    missing_scans BIGINT NOT NULL,
    seen_run BIGINT NOT NULL,
    url TEXT,
    PRIMARY KEY (platform, entity, local_id)
);

CREATE TABLE run (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    platform TEXT COLLATE "C" NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    outcome TEXT COLLATE "C" NOT NULL,
    counts JSONB NOT NULL,
    message TEXT
);
CREATE INDEX run_by_platform ON run (platform, number);

CREATE TABLE lease (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    holder TEXT COLLATE "C" NOT NULL,
    fence BIGINT NOT NULL,
    until TIMESTAMPTZ NOT NULL
);
