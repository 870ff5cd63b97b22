//! The rules under which aggregates were folded, by a number and a text.

/// The rules of a fold. What was added under one rule cannot be taken back under another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldVersion {
    /// The number of the fold's code.
    pub code: u32,
    /// The settings that the fold reads, as canonical JSON.
    pub settings: String,
}
