//! What the slow reader knows while it reads a ping, and how it reads dates.

use ping::SubmissionDate;

use super::totals::Totals;
use crate::glean::custom_layouts::CustomLayouts;

/// One ping's reading.
#[derive(Debug)]
pub(super) struct Slow<'a> {
    pub(super) totals: Totals,
    pub(super) custom: &'a CustomLayouts,
    pub(super) received: SubmissionDate,
    pub(super) is_doubled: bool,
    /// Values staged so far.
    pub(super) values: usize,
    /// Bins stated so far.
    pub(super) bins: usize,
}

/// The day that a text's first ten characters are.
pub(super) fn day(text: &str) -> Option<SubmissionDate> {
    let date: String = text.chars().take(10).collect();
    let parts: Vec<&str> = date.split('-').collect();
    let widths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    // `2026-10-012` is no date.
    let goes_on = text.chars().nth(10).is_some_and(|next| next.is_ascii_digit());
    (widths == [4, 2, 2] && !goes_on)
        .then(|| parts.concat().parse().ok())
        .flatten()
}
