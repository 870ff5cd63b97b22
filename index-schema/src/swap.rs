//! The end of a rebuild, as the index is told of it.

use crate::AllFloors;

/// Which aggregates are put into use, and what the rebuild saw of the index when it folded last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swap {
    /// Their number.
    pub generation: u64,
    /// Records in them of chunks that were removed, forgotten, or came below a floor while the rebuild went on.
    pub gone_records: u64,
    /// Records that had been removed by then.
    pub removed_records: u64,
    /// The floors then.
    pub floors: AllFloors,
}

impl Swap {
    /// To aggregates that hold nothing but what the index has of them, which stands so.
    pub fn to(generation: u64, removed_records: u64, floors: impl Into<AllFloors>) -> Self {
        Self {
            generation,
            gone_records: 0,
            removed_records,
            floors: floors.into(),
        }
    }
}
