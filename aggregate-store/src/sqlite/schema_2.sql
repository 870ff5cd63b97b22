-- Schema version 2.

-- Which layer of memory each writer wrote last, in the transaction of its sums. persisted_at is in microseconds since
-- 1970-01-01T00:00:00Z.
CREATE TABLE layer (
    writer BLOB PRIMARY KEY,        -- 16 bytes
    number INTEGER NOT NULL,
    persisted_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Chunks of errored pings whose bodies were tried again: those of at most inflated_bytes are folded, or in errored.
CREATE TABLE retried (
    chunk INTEGER PRIMARY KEY,
    inflated_bytes INTEGER NOT NULL
);

-- Deletion by date finds its rows. `seen` has no such index, which would double it: it is walked in slices instead.
CREATE INDEX dimension_set_by_date ON dimension_set (submission_date);
CREATE INDEX folded_by_date ON folded (submission_date);
CREATE INDEX errored_by_date ON errored (submission_date);
