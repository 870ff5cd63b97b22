//! The numbers a metric is made from, as a list of metrics states them.

use crate::layout::Kind;

/// The numbers a metric is made from.
pub(crate) struct Parameters {
    pub(crate) kind: Kind,
    pub(crate) low: u64,
    pub(crate) high: u64,
    pub(crate) bins: u64,
}
