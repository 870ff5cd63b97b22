//! The rows by name, in the order of the table.

use anyhow::Result;
use clap::ValueEnum;

use super::{edge, engines, fold, freshness, gather, persist, stored};
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
    /// The edge as a process
    Edge,
    /// POST to number in the API
    Freshness,
}

/// What measures a group of rows.
pub(crate) type Measure = fn(&Options, &Sample) -> Result<Vec<Row>>;

/// All rows.
pub(crate) struct Rows;

impl Rows {
    /// In the order of the table.
    pub(crate) const ALL: [(RowName, Measure); 7] = [
        (RowName::Gather, gather::measure),
        (RowName::Stored, stored::measure),
        (RowName::Fold, fold::measure),
        (RowName::Engines, engines::measure),
        (RowName::Persist, persist::measure),
        (RowName::Edge, edge::measure),
        (RowName::Freshness, freshness::measure),
    ];
}
