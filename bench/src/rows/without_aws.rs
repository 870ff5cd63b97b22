//! What a group of rows says in a program without the feature that it needs.

use anyhow::Result;

use crate::outcome::Row;

/// The one row that tells how `work` is measured.
#[expect(clippy::unnecessary_wraps, reason = "as those that measure")]
pub(super) fn left_out(work: &str) -> Result<Vec<Row>> {
    Ok(vec![Row::left_out(work, "`make bench-aws` measures it")])
}
