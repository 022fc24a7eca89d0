-- Records of this authority: names, contents, chain of revisions, change log.

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The persistent table behind every address we mint: an item of a platform keeps its key for ever.
CREATE TABLE identifier (
    platform TEXT NOT NULL,
    entity TEXT NOT NULL,
    local_id TEXT NOT NULL,
    segment TEXT NOT NULL,
    class TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (platform, entity, local_id, segment)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX identifier_by_key ON identifier (segment, key);

CREATE TABLE record (
    id TEXT NOT NULL PRIMARY KEY,
    class TEXT NOT NULL,
    process TEXT NOT NULL,
    parent TEXT,
    depth INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    version INTEGER NOT NULL,
    standing TEXT NOT NULL,
    record TEXT,
    sealed BLOB NOT NULL,
    digest TEXT NOT NULL,
    dated_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    platform TEXT,
    entity TEXT,
    local_id TEXT,
    local_class TEXT
) STRICT;
CREATE INDEX record_by_class ON record (class, dated_at, id);
CREATE INDEX record_by_process ON record (process, dated_at, id);
CREATE INDEX record_by_parent ON record (parent, dated_at, id);
CREATE INDEX record_by_depth ON record (depth, dated_at, id);

-- One row per signed revision; `sealed` holds the bytes of earlier ones until they are erased.
CREATE TABLE record_revision (
    record TEXT NOT NULL,
    revision INTEGER NOT NULL,
    digest TEXT NOT NULL,
    previous TEXT,
    at INTEGER NOT NULL,
    material INTEGER NOT NULL CHECK (material IN (0, 1)),
    sealed BLOB,
    PRIMARY KEY (record, revision)
) STRICT;

CREATE TABLE change (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    record TEXT NOT NULL,
    class TEXT NOT NULL,
    revision INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    planned INTEGER NOT NULL DEFAULT 0 CHECK (planned IN (0, 1))
) STRICT;
CREATE INDEX change_unplanned ON change (number) WHERE NOT planned;
