-- Records of this authority: names, contents, chain of revisions, change log.

CREATE TABLE meta (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- The persistent table behind every address we mint: an item of a platform keeps its key for ever.
CREATE TABLE identifier (
    platform TEXT COLLATE "C" NOT NULL,
    entity TEXT COLLATE "C" NOT NULL,
    local_id TEXT COLLATE "C" NOT NULL,
    segment TEXT COLLATE "C" NOT NULL,
    class TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (platform, entity, local_id, segment)
);
CREATE UNIQUE INDEX identifier_by_key ON identifier (segment, key);

CREATE TABLE record (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    class TEXT COLLATE "C" NOT NULL,
    process TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C",
    depth BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    version BIGINT NOT NULL,
    standing TEXT COLLATE "C" NOT NULL,
    record JSONB,
    sealed BYTEA NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    dated_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    platform TEXT COLLATE "C",
    entity TEXT COLLATE "C",
    local_id TEXT COLLATE "C",
    local_class TEXT COLLATE "C"
);
CREATE INDEX record_by_class ON record (class, dated_at, id);
CREATE INDEX record_by_process ON record (process, dated_at, id);
CREATE INDEX record_by_parent ON record (parent, dated_at, id);
CREATE INDEX record_by_depth ON record (depth, dated_at, id);

-- One row per signed revision; `sealed` holds the bytes of earlier ones until they are erased.
CREATE TABLE record_revision (
    record TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    previous TEXT COLLATE "C",
    at TIMESTAMPTZ NOT NULL,
    material BOOLEAN NOT NULL,
    sealed BYTEA,
    PRIMARY KEY (record, revision)
);

CREATE TABLE change (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    record TEXT COLLATE "C" NOT NULL,
    class TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    planned BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX change_unplanned ON change (number) WHERE NOT planned;
