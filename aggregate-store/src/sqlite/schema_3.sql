-- Schema version 3.

-- No number of a chunk is given twice, and what a number stands for stays known for as long as copies and errored pings may
-- name it: for a chunk that is deleted before them, gone is the day of its records.
CREATE TABLE chunk_3 (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incarnation BLOB NOT NULL,      -- 16 bytes
    boot INTEGER NOT NULL,
    plan INTEGER NOT NULL,
    gone INTEGER,
    UNIQUE (incarnation, boot, plan)
);
INSERT INTO chunk_3 (id, incarnation, boot, plan) SELECT id, incarnation, boot, plan FROM chunk;
DROP TABLE chunk;
ALTER TABLE chunk_3 RENAME TO chunk;
CREATE INDEX chunk_gone ON chunk (gone) WHERE gone IS NOT NULL;

-- Rows of version 2 may name numbers that were a chunk's once. New ones begin far beyond any that was given: finding the
-- highest would be a walk through all copies.
DELETE FROM sqlite_sequence WHERE name IN ('chunk', 'chunk_3');
INSERT INTO sqlite_sequence (name, seq)
SELECT 'chunk', coalesce((SELECT max(id) FROM chunk), 0)
    + CASE WHEN EXISTS (SELECT 1 FROM seen) OR EXISTS (SELECT 1 FROM errored) THEN 1000000000 ELSE 0 END;
