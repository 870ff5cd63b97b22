//! Why something is no layout.

/// Why something is no layout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// The `histogram_type` is none of the six.
    #[error("histogram_type {0} is unknown: expected 0 to 5")]
    Kind(u8),
    /// The stored number of a kind is one that this program does not know.
    #[error("a layout is stored as kind {0}, and this program knows 0 to 9: use a newer program")]
    StoredKind(u8),
    /// The text is not a layout's canonical form.
    #[error("'{0}' is no bin layout: expected kind(min,max,bins), as in exponential(1,30000,50)")]
    Text(String),
}
