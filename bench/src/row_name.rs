//! The names of rows.

use clap::ValueEnum;

/// A group of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowName {
    /// Log to sealed chunk
    Gather,
    /// Stored bytes per byte received
    Stored,
    /// Chunk bytes to aggregates in memory
    Fold,
    /// Small pings of Glean's and of a declared product, chunk bytes to batch
    Sources,
    /// Main pings as a process, against engines
    Engines,
    /// Aggregates into the database
    Persist,
    /// User sketches united, against the C++ library
    Sketches,
    /// An NDJSON file through the whole pipeline
    Import,
    /// The edge as a process
    Edge,
    /// 200s per CPU second, against nginx
    Capacity,
    /// The same of pings of 1 KB
    Small,
    /// Time to the 200 under load
    Latency,
    /// Memory by open partitions
    Memory,
    /// The start on a large log
    Recovery,
    /// POST to number in the API
    Freshness,
    /// Answers from 1,000,000 aggregates through HTTP: only if named, or in a full run
    Questions,
    /// A source folded anew beside what arrives: only if named, or in a full run
    Rebuild,
    /// Answers from 1,000,000 aggregates in PostgreSQL through HTTP, and merges into them: built with the feature `aws`, only if named,
    /// or in a full run
    Postgres,
    /// Two aggregators over PostgreSQL behind an edge that takes small pings: built with the feature `aws`, only if named, or in a full run
    Sharing,
    /// The edge with its chunks in S3, against a directory: built with the feature `aws`
    S3,
    /// The index in SQLite and PostgreSQL, 10^6 entries: built with the feature `aws`, only if named, or in a full run
    Index,
    /// The Lambda's cold start: built with the feature `aws`, with the zip of `make lambda`
    Lambda,
    /// A cold build of the program: only if named, or in a full run
    Build,
}
