//! What a run found and did.

use index_schema::{Floors, SourceFloors};

use crate::Held;

/// What went, or would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// Objects.
    pub objects: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes as stored.
    pub stored_bytes: u64,
    /// Days of cells and user sketches; told by a run that only looks.
    pub aggregate_days: u64,
    /// Cells and user sketches.
    pub aggregates: u64,
    /// Rows of copies, folded chunks, errored pings and dictionaries.
    pub rows: u64,
}

/// What a run found and did; of a run that only looks, what it would do if a person said yes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// The floors at its end.
    pub floors: Floors,
    /// Those of sources.
    pub source_floors: SourceFloors,
    /// What went.
    pub gone: Gone,
    /// Bytes above the budgets that cannot go: they are today's, or of the newest day.
    pub over_budget_bytes: u64,
    /// What waits for a person.
    pub held: Vec<Held>,
}
