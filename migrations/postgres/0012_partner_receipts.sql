-- What partners signed about a disclosure lies beside it: a row that is claimed and finished again and again stays
-- small, and a page of them holds many. `purge_receipt` speaks of a disclosure whose state is 'purged'.

CREATE TABLE disclosure_receipt (
    partner TEXT COLLATE "C" NOT NULL,
    record TEXT COLLATE "C" NOT NULL,
    receipt TEXT,
    purge_receipt TEXT,
    PRIMARY KEY (partner, record),
    FOREIGN KEY (partner, record) REFERENCES disclosure (partner, record) ON DELETE CASCADE
);

INSERT INTO disclosure_receipt (partner, record, receipt, purge_receipt)
SELECT partner, record, receipt, purge_receipt
  FROM disclosure
 WHERE receipt IS NOT NULL OR purge_receipt IS NOT NULL;

ALTER TABLE disclosure DROP COLUMN receipt;
ALTER TABLE disclosure DROP COLUMN purge_receipt;
