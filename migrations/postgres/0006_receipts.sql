-- Receipts that we gave are found by their address: those of deliveries, and those of erasures, which
-- travel as the result of a letter.

CREATE INDEX journal_by_receipt ON journal ((receipt::jsonb ->> 'id')) WHERE receipt <> '';
CREATE INDEX letter_by_result ON letter ((body::jsonb -> 'result' ->> 'id'));
