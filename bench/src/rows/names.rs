//! The rows by name, in the order of the table.

use anyhow::Result;
use clap::ValueEnum;

use super::{
    build, capacity, edge, engines, fold, freshness, gather, import, index, lambda, latency, memory, persist,
    recovery, s3, sketches, stored,
};
use crate::options::Options;
use crate::outcome::Row;
use crate::sample::Sample;

/// A group of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowName {
    /// Log to sealed chunk
    Gather,
    /// Stored bytes per byte received
    Stored,
    /// Chunk bytes to aggregates in memory
    Fold,
    /// The same as a process, against engines
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
    /// Time to the 200 under load
    Latency,
    /// Memory by open partitions
    Memory,
    /// The start on a large log
    Recovery,
    /// POST to number in the API
    Freshness,
    /// The edge with its chunks in S3, against a directory: built with the feature `aws`
    S3,
    /// The index in SQLite and PostgreSQL, 10^6 entries: built with the feature `aws`, only if named, or in a full run
    Index,
    /// The Lambda's cold start: built with the feature `aws`, with the zip of `make lambda`
    Lambda,
    /// A cold build of the program: only if named, or in a full run
    Build,
}

/// What measures a group of rows.
pub(crate) type Measure = fn(&Options, &Sample) -> Result<Vec<Row>>;

/// All rows.
pub(crate) struct Rows;

impl Rows {
    /// In the order of the table.
    pub(crate) const ALL: [(RowName, Measure); 17] = [
        (RowName::Gather, gather::measure),
        (RowName::Stored, stored::measure),
        (RowName::Fold, fold::measure),
        (RowName::Engines, engines::measure),
        (RowName::Persist, persist::measure),
        (RowName::Sketches, sketches::measure),
        (RowName::Import, import::measure),
        (RowName::Edge, edge::measure),
        (RowName::Capacity, capacity::measure),
        (RowName::Latency, latency::measure),
        (RowName::Memory, memory::measure),
        (RowName::Recovery, recovery::measure),
        (RowName::Freshness, freshness::measure),
        (RowName::S3, s3::measure),
        (RowName::Index, index::measure),
        (RowName::Lambda, lambda::measure),
        (RowName::Build, build::measure),
    ];
}
