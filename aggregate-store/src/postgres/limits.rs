//! What the back end may take at a time, each with its reason.

/// Rows of one statement: some hundred KB of columns, so that memory stays bounded and round trips are few.
pub(super) const ROWS: usize = 4_096;

/// Bytes of texts and sketches of one statement.
pub(super) const BYTES: usize = 4 << 20;

/// Texts whose ids are remembered for answers, and their bytes: those of a million aggregates are a tenth of it.
pub(super) const KNOWN_TEXTS: usize = 1 << 17;
pub(super) const KNOWN_BYTES: usize = 8 << 20;

/// Layouts that are remembered: each ping of a metric may have another one, few have.
pub(super) const KNOWN_LAYOUTS: usize = 1 << 14;

/// Rows that a dump fetches at a time.
pub(super) const FETCHED_ROWS: usize = 1_000;

/// Cells that one slice of a deletion removes: a batch waits for no more than a slice.
pub(super) const DELETED_CELLS: i64 = 20_000;

/// Other rows that one slice of a deletion removes.
pub(super) const DELETED_ROWS: i64 = 2_000;

/// Copies that one slice walks.
pub(super) const WALKED_ROWS: i64 = 20_000;
