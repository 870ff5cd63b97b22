-- Schema version 4: any source, and dimension sets that are lists. What is in the tables of version 3 is taken over by
-- `schema.rs` between the two parts of this file.

-- No id is given twice. name: <namespace>/<document type>.
CREATE TABLE source (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);
-- packed: ids of strings, of dimension and value by turns, ascending by dimension, as variable-length numbers. What a ping did
-- not state is left out. No id is given twice.
CREATE TABLE dimension_set_4 (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL,
    submission_date INTEGER NOT NULL,
    packed BLOB NOT NULL,
    UNIQUE (source, submission_date, packed)
);
-- Which sets bear a value: members is a Roaring bitmap of their ids, those of one segment (id / 65536) in a row. dimension and
-- value are ids of strings; dimension 0 is the submission date, whose value is the number.
CREATE TABLE set_value (
    source INTEGER NOT NULL,
    dimension INTEGER NOT NULL,
    value INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    members BLOB NOT NULL,
    PRIMARY KEY (source, dimension, value, segment)
) WITHOUT ROWID;
-- How many cells of a source, channel and version bear a value. dimension: the id of its name, with os_version as the detail of
-- os; -1 the metric, -2 the process, -3 the submission date (the number, no string).
CREATE TABLE listing_4 (
    source INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    version INTEGER NOT NULL,
    dimension INTEGER NOT NULL,
    value INTEGER NOT NULL,
    detail INTEGER NOT NULL,
    cells INTEGER NOT NULL,
    PRIMARY KEY (source, channel, version, dimension, value, detail)
) WITHOUT ROWID;
-- Values of which every copy may be taken in. kind: 1 a sketch of clients, whose image is a canonical DataSketches image of the
-- crate `sketch`, up to about 4 KiB: hence a table with row ids. projection: 1 users by application, channel, version and os.
-- metric: 0 all pings.
CREATE TABLE union_value (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    projection INTEGER NOT NULL,
    dimension_set INTEGER NOT NULL,
    metric INTEGER NOT NULL,
    image BLOB NOT NULL,
    UNIQUE (kind, projection, dimension_set, metric)
);
CREATE INDEX union_value_by_set ON union_value (dimension_set);
