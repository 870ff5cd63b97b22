//! The caps on one ping that can be set. Those that refuse a part of a ping and keep the rest are no settings: raising one
//! would change what a ping counts that was accepted.

use crate::limits;

/// What a ping may have at most; above it, all of it is an errored one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Names under which something may be counted: metrics and labels. Above it: `too_many_parts`.
    pub parts_per_ping: u32,
    /// Labels of one keyed metric. Above it: `too_many_labels`.
    pub labels_per_metric: u32,
    /// Processes. Above it: `too_many_processes`.
    pub processes_per_ping: u32,
    /// Bins that are not zero, in all histograms. Above it: `too_many_bins`.
    pub bins_per_ping: u32,
    /// Bytes of a body that the edge kept as an error because it was too large when inflated. Up to it, such a body is
    /// taken apart after all.
    pub inflated_bytes: u64,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            parts_per_ping: limits::PARTS_PER_PING_MAX,
            labels_per_metric: limits::LABELS_PER_METRIC_MAX,
            processes_per_ping: limits::PROCESSES_PER_PING_MAX,
            bins_per_ping: limits::BINS_PER_PING_MAX,
            inflated_bytes: limits::INFLATED_BYTES_MAX,
        }
    }
}

/// The key of the cap that the first release did not write; it is left out where it has its default.
pub(super) const INFLATED_BYTES: &str = "inflated_bytes";
