//! Why a whole ping cannot be folded. It stays in its chunk, gets an error row, and claims no document id.

use readers::json::JsonError;

/// The reason of an errored ping. Of several that hold, the first in this order is given, whatever stands first in the
/// body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PingError {
    /// The fold panicked on it: a defect of this program.
    Panic,
    /// Objects and arrays are nested deeper than 128.
    TooDeep,
    /// The body is no JSON, or a number is out of range. What stands between quotes may be any bytes.
    NotJson,
    /// The body is JSON, but no object.
    NotAnObject,
    /// More than `PARTS_PER_PING_MAX` names.
    TooManyParts,
    /// More than `PROCESSES_PER_PING_MAX` processes.
    TooManyProcesses,
    /// More than `LABELS_PER_METRIC_MAX` labels of one metric.
    TooManyLabels,
    /// More than `BINS_PER_PING_MAX` bins.
    TooManyBins,
    /// A key that the fold reads stands twice in one object: a document with two answers has none.
    DuplicateKey,
}

impl PingError {
    /// The reason's word in error rows, counters and metrics.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::TooDeep => "too_deep",
            Self::NotJson => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::TooManyParts => "too_many_parts",
            Self::TooManyProcesses => "too_many_processes",
            Self::TooManyLabels => "too_many_labels",
            Self::TooManyBins => "too_many_bins",
            Self::DuplicateKey => "duplicate_key",
        }
    }
}

impl From<JsonError> for PingError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::TooDeep => Self::TooDeep,
            JsonError::NotJson => Self::NotJson,
        }
    }
}
