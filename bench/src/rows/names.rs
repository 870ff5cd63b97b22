//! What measures which rows, in the order of the table.

use anyhow::Result;

use super::{
    build, capacity, edge, engines, fold, freshness, gather, import, index, lambda, latency, memory, persist,
    postgres, questions, rebuild, recovery, s3, sharing, sketches, small, sources, stored,
};
use crate::options::Options;
use crate::outcome::Row;
use crate::row_name::RowName;
use crate::sample::Sample;

/// What measures a group of rows.
pub(crate) type Measure = fn(&Options, &Sample) -> Result<Vec<Row>>;

/// All rows.
pub(crate) struct Rows;

impl Rows {
    /// In the order of the table.
    pub(crate) const ALL: [(RowName, Measure); 23] = [
        (RowName::Gather, gather::measure),
        (RowName::Stored, stored::measure),
        (RowName::Fold, fold::measure),
        (RowName::Sources, sources::measure),
        (RowName::Engines, engines::measure),
        (RowName::Persist, persist::measure),
        (RowName::Sketches, sketches::measure),
        (RowName::Import, import::measure),
        (RowName::Edge, edge::measure),
        (RowName::Capacity, capacity::measure),
        (RowName::Small, small::measure),
        (RowName::Latency, latency::measure),
        (RowName::Memory, memory::measure),
        (RowName::Recovery, recovery::measure),
        (RowName::Freshness, freshness::measure),
        (RowName::Questions, questions::measure),
        (RowName::Rebuild, rebuild::measure),
        (RowName::Postgres, postgres::measure),
        (RowName::Sharing, sharing::measure),
        (RowName::S3, s3::measure),
        (RowName::Index, index::measure),
        (RowName::Lambda, lambda::measure),
        (RowName::Build, build::measure),
    ];
}
