-- Whose words are past their time in the journal is found without reading all of it.

CREATE INDEX journal_with_words ON journal (received_at) WHERE body IS NOT NULL;
