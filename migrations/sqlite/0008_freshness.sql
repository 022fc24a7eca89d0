-- When the origin of a copy was last asked for it, so that none keeps others from their turn; and which copies
-- are stale is found without reading all.

ALTER TABLE copy ADD COLUMN asked_at INTEGER;
CREATE INDEX copy_by_confirmation ON copy (confirmed_at) WHERE standing <> 'deleted';
