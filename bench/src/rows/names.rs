//! The rows by name, in the order of the table.

use anyhow::Result;
use clap::ValueEnum;

use super::{fold, gather, persist, stored};
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
    /// Aggregates into the database
    Persist,
}

/// What measures a group of rows.
pub(crate) type Measure = fn(&Options, &Sample) -> Result<Vec<Row>>;

/// All rows.
pub(crate) struct Rows;

impl Rows {
    /// In the order of the table.
    pub(crate) const ALL: [(RowName, Measure); 4] = [
        (RowName::Gather, gather::measure),
        (RowName::Stored, stored::measure),
        (RowName::Fold, fold::measure),
        (RowName::Persist, persist::measure),
    ];
}
