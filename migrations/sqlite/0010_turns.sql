-- Each partner's open activities stand together, so that all have their turn and are counted without reading
-- those of the others.

CREATE INDEX journal_by_turn ON journal (partner, next_at, number) WHERE state IN ('pending', 'working');
