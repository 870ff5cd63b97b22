-- Schema version 3: epochs of sources, and counts by source and day.

-- Behind the gate of those that write, and before everybody's eyes at once.
SELECT pg_advisory_xact_lock(8606217354014312);
LOCK TABLE highwater_aggregates.about, highwater_aggregates.source, highwater_aggregates.errored, highwater_aggregates.counter
    IN ACCESS EXCLUSIVE MODE;

-- A source in one of its epochs; 0 is the first.
ALTER TABLE highwater_aggregates.source ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE highwater_aggregates.source ALTER COLUMN epoch DROP DEFAULT;
DROP INDEX highwater_aggregates.source_by_digest;
CREATE UNIQUE INDEX source_by_digest ON highwater_aggregates.source (sha256(name), epoch);

-- How often what is in use, or the rules of a source, changed: a batch is written only under the number under which it was
-- folded. And whether all that is counted is counted by source and day, too.
ALTER TABLE highwater_aggregates.about ADD COLUMN epochs_number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN counted_by_source BOOLEAN NOT NULL DEFAULT TRUE;
UPDATE highwater_aggregates.about SET counted_by_source = NOT EXISTS (SELECT FROM highwater_aggregates.folded);
-- From which day on (YYYYMMDD; 0 is the beginning) which epoch of a source is in use; the empty name is every source that has
-- no rows. Without any row it is epoch 0.
CREATE TABLE highwater_aggregates.epoch (
    source BYTEA NOT NULL,
    first_day INTEGER NOT NULL,
    epoch INTEGER NOT NULL
);
CREATE UNIQUE INDEX epoch_by_digest ON highwater_aggregates.epoch (sha256(source), first_day);
-- The texts by which sources are folded that have rules of their own.
CREATE TABLE highwater_aggregates.source_rules (
    source BYTEA NOT NULL,
    rules BYTEA NOT NULL
);
CREATE UNIQUE INDEX source_rules_by_digest ON highwater_aggregates.source_rules (sha256(source));

-- Rebuilds under way: of a source, or of all (the empty name), of these days (1 and 99999999 are no bounds). What they
-- folded, and what they could not. No number is given twice.
CREATE TABLE highwater_aggregates.rebuild (
    epoch INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source BYTEA NOT NULL,
    first_day INTEGER NOT NULL,
    last_day INTEGER NOT NULL,
    rules BYTEA,
    fold_code BIGINT,
    fold_settings BYTEA
);
CREATE UNIQUE INDEX rebuild_by_digest ON highwater_aggregates.rebuild (sha256(source));
CREATE TABLE highwater_aggregates.rebuilt (
    epoch INTEGER NOT NULL,
    incarnation BYTEA NOT NULL,
    boot BIGINT NOT NULL,
    plan BIGINT NOT NULL,
    key BYTEA NOT NULL,
    is_errors BOOLEAN NOT NULL,
    submission_date INTEGER NOT NULL,
    records BIGINT NOT NULL,
    PRIMARY KEY (epoch, incarnation, boot, plan)
);
CREATE TABLE highwater_aggregates.rebuilt_errored (
    epoch INTEGER NOT NULL,
    incarnation BYTEA NOT NULL,
    sequence BIGINT NOT NULL,
    submission_date INTEGER NOT NULL,
    chunk_incarnation BYTEA NOT NULL,
    chunk_boot BIGINT NOT NULL,
    chunk_plan BIGINT NOT NULL,
    position BIGINT NOT NULL,
    reason BYTEA NOT NULL,
    source INTEGER NOT NULL,
    PRIMARY KEY (epoch, incarnation, sequence)
);

-- Pings by source, day (0 is all days that were deleted) and what became of them; and by reason, kind 'errored' or 'refused'.
-- Their sums over what is in use are those of counter, unless what an older program counted is among these.
CREATE TABLE highwater_aggregates.count_by_day (
    source INTEGER NOT NULL,
    submission_date INTEGER NOT NULL,
    folded BIGINT NOT NULL,
    repeated BIGINT NOT NULL,
    stored_only BIGINT NOT NULL,
    errored_pings BIGINT NOT NULL,
    PRIMARY KEY (source, submission_date)
);
CREATE TABLE highwater_aggregates.reason_by_day (
    source INTEGER NOT NULL,
    submission_date INTEGER NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    reason BYTEA NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (source, submission_date, kind, reason)
);
-- A process of an older program that still runs knows of none of this: each batch it writes would add to this column, and now
-- is refused.
ALTER TABLE highwater_aggregates.counter RENAME COLUMN value TO count;

-- source: where the ping came from; nothing of what an older program wrote.
ALTER TABLE highwater_aggregates.errored ADD COLUMN source INTEGER;
CREATE INDEX errored_by_source ON highwater_aggregates.errored (source, submission_date);
