-- The exchange log as a chain per partner: each row carries the digest of the row before it and of its own content,
-- so that a row that was changed, taken out or moved is found offline. The partner's row knows the end of its chain.
-- Rows from before this migration carry no digest.

ALTER TABLE exchange ADD COLUMN chain TEXT COLLATE "C";
ALTER TABLE partner ADD COLUMN log_head TEXT COLLATE "C";
ALTER TABLE partner ADD COLUMN log_rows BIGINT NOT NULL DEFAULT 0;
