//! What the back end may take, each with its reason.

/// Threads that answer questions: an answer that reads a long stretch must not keep a short one waiting.
pub(super) const READERS: usize = 3;

/// Threads that look up what the fold and the watch over the whole ask, so that those never wait behind questions.
pub(super) const FOLD_READERS: usize = 2;

/// Instructions of SQLite, of which a row takes some tens, between two looks whether anybody still waits for the answer.
pub(super) const INSTRUCTIONS_BETWEEN_LOOKS: i32 = 10_000;

/// Memory for pages of the writer, in KiB: the inner pages of some ten million cells, and the leaves being changed.
pub(super) const WRITER_CACHE_KIB: u32 = 64 * 1024;

/// Memory for pages of each reader, in KiB: the operating system keeps the others.
pub(super) const READER_CACHE_KIB: u32 = 16 * 1024;

/// Bytes to which the write-ahead log is cut back after a large transaction.
pub(super) const WAL_BYTES_KEPT: u32 = 64 << 20;

/// Batches that wait for the writer: whoever has another one waits, and so does the memory that it holds.
pub(super) const WAITING_WRITES: usize = 2;

/// Questions that wait for a reader.
pub(super) const WAITING_READS: usize = 64;

/// How long a statement waits for another process, in milliseconds.
pub(super) const BUSY_TIMEOUT_MS: u64 = 10_000;

/// Bytes of names whose ids are kept in memory; above it they are forgotten, and asked for again.
pub(super) const DICTIONARY_BYTES_MAX: usize = 64 << 20;

/// Statements that a connection keeps prepared: more than there are kinds of them.
pub(super) const STATEMENTS_KEPT: usize = 64;

/// Cells that one slice of a deletion removes, give or take those of one dimension set: a batch waits for no more than a
/// slice (the longest took 0.37 s with twenty processes on two cores).
pub(super) const DELETED_CELLS: u64 = 20_000;

/// Other rows that one slice of a deletion removes.
pub(super) const DELETED_ROWS: u32 = 2_000;

/// Dimension sets that one slice removes: each is looked for under all metrics.
pub(super) const DELETED_SETS: u32 = 50;

/// Copies that one slice walks.
pub(super) const WALKED_ROWS: u32 = 20_000;

/// Memory for what is decoded of cells and dimension sets, in bytes: the cells of some four hundred metrics with 2,500 each.
pub(super) const DECODED_BYTES_MAX: usize = 64 << 20;

/// Of that, what the cells of one metric, or the sets of one source, may take: what is larger is read each time it is asked for.
pub(super) const DECODED_STRETCH_BYTES_MAX: usize = 16 << 20;

/// Of that, what the texts of ids may take; full, all are forgotten.
pub(super) const KNOWN_TEXTS_BYTES_MAX: usize = 4 << 20;

/// Metrics of which it is remembered that they were asked for.
pub(super) const DECODED_METRICS_ASKED_MAX: usize = 100_000;

/// Numbers that sums of decoded cells take while they are added up, 16 MiB; a question that needs more adds bin by bin.
pub(super) const DENSE_SUMS_MAX: usize = 2 << 20;
