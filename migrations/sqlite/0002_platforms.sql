-- What the last scans of each platform saw, the runs themselves, and leases so that two never overlap.

CREATE TABLE item (
    platform TEXT NOT NULL,
    entity TEXT NOT NULL,
    local_id TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    missing_scans INTEGER NOT NULL,
    seen_run INTEGER NOT NULL,
    url TEXT,
    PRIMARY KEY (platform, entity, local_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    platform TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    outcome TEXT NOT NULL,
    counts TEXT NOT NULL,
    message TEXT
) STRICT;
CREATE INDEX run_by_platform ON run (platform, number);

CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    fence INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
