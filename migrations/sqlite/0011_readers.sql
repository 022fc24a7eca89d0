-- The Fediverse as readers: accounts of listed servers, what each of them follows, which inbox holds which
-- record, and how each server wants requests to be signed.

CREATE TABLE account (
    actor TEXT NOT NULL PRIMARY KEY,
    partner TEXT NOT NULL REFERENCES partner (domain),
    inbox TEXT NOT NULL,
    shared_inbox TEXT,
    key_id TEXT NOT NULL,
    key TEXT NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX account_by_partner ON account (partner, seen_at);

-- `process` is the consultation that is followed; empty for the authority, which is all of them.
CREATE TABLE follower (
    actor TEXT NOT NULL REFERENCES account (actor),
    process TEXT NOT NULL,
    partner TEXT NOT NULL REFERENCES partner (domain),
    activity TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (actor, process)
) STRICT, WITHOUT ROWID;
CREATE INDEX follower_by_partner ON follower (partner, process);
CREATE INDEX follower_by_process ON follower (process);

-- Which inbox of a reader server took which revision: whoever got a record is told of its end.
CREATE TABLE reached (
    partner TEXT NOT NULL REFERENCES partner (domain),
    record TEXT NOT NULL,
    inbox TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (partner, record, inbox)
) STRICT, WITHOUT ROWID;
CREATE INDEX reached_by_inbox ON reached (partner, inbox);

-- One row a host; a host without one is signed for as everybody understands it.
CREATE TABLE scheme (
    host TEXT NOT NULL PRIMARY KEY,
    scheme TEXT NOT NULL,
    evidence TEXT NOT NULL,
    valid_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- To an account of a reader server a letter goes to the inbox of that account; none: the partner's own.
ALTER TABLE letter ADD COLUMN inbox TEXT;

-- Until now a server's own actor alone could follow: it goes on doing so.
INSERT INTO account (actor, partner, inbox, key_id, key, seen_at)
SELECT actor, domain, inbox, rsa_id, rsa, since FROM partner WHERE kind = 'reader' AND rsa IS NOT NULL AND rsa_id IS NOT NULL;
INSERT INTO follower (actor, process, partner, activity, since)
SELECT account.actor, '', account.partner, '', account.seen_at
  FROM account
  JOIN partner ON partner.domain = account.partner
 WHERE partner.follows_us = 'accepted';
INSERT INTO reached (partner, record, inbox, revision)
SELECT disclosure.partner, disclosure.record, partner.inbox, disclosure.acked_revision
  FROM disclosure
  JOIN partner ON partner.domain = disclosure.partner
 WHERE partner.kind = 'reader' AND disclosure.offered AND disclosure.acked_revision IS NOT NULL;
