//! Limits of what is kept, whatever the back end is.

/// Sources whose pings are counted by name: those that come later are counted as `OTHER`, for names are chosen by whoever sends.
pub(crate) const COUNTED_SOURCES_MAX: u32 = 10_000;
