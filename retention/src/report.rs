//! What a run found and did.

use index_schema::Floors;

/// What went, or would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// Objects.
    pub objects: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes as stored.
    pub stored_bytes: u64,
    /// Cells and user sketches.
    pub aggregates: u64,
    /// Rows of copies, folded chunks, errored pings and dictionaries.
    pub rows: u64,
}

/// What a run found and did; of a run that only looks, what it would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// The floors at its end.
    pub floors: Floors,
    /// What went.
    pub gone: Gone,
    /// Bytes above the budgets that cannot go, since they are today's.
    pub over_budget_bytes: u64,
}
