//! Limits of deletion, each with its reason.

/// Objects between two transactions of the index: a crash deletes so many again, which is harmless, and indexing waits for
/// one transaction of so many rows.
pub const OBJECTS_AT_ONCE: usize = 200;

/// Days that copies are kept beyond the repeat window: the window is not bound to midnight.
pub const COPIES_MARGIN_DAYS: i64 = 1;
