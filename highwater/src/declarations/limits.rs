//! Bounds of what is declared by files, each with its reason.

/// Files of declarations in one folder, at most: more is a folder that was not meant.
pub(crate) const FILES_MAX: usize = 1_000;

/// Bytes of one file: of Mozilla's, Histograms.json is the largest, and takes a tenth of it.
pub(crate) const FILE_BYTES_MAX: u64 = 32 << 20;

/// Bytes of all files together: they are in memory, and are kept beside the log as they were accepted.
pub(crate) const TEXTS_BYTES_MAX: u64 = 64 << 20;

/// Bytes of the accepted texts as they are kept: quotes and ends of lines take two bytes there.
pub(crate) const KEPT_BYTES_MAX: usize = 160 << 20;

/// Characters of what is told of a refusal: the first line of it, in which a text of the file may stand.
pub(crate) const WORDS_MAX: usize = 400;

/// Sources that a log line names of those that changed.
pub(crate) const NAMED_MAX: usize = 20;
