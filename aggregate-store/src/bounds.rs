//! How large an answer may become, and how much of that is taken while it is made. Pure.

use crate::AggregateError;

/// What an answer may take at most. More, and the question is refused ([`AggregateError::TooLarge`]) as soon as that shows:
/// never is more than this held in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Rows of the answer.
    pub rows: usize,
    /// Bins of all rows together; those without samples are not counted.
    pub bins: usize,
}

impl Bounds {
    /// No bound: for who knows what is stored.
    pub const NONE: Self = Self {
        rows: usize::MAX,
        bins: usize::MAX,
    };
}

/// What an answer has taken so far.
#[derive(Debug)]
pub(crate) struct Taken {
    bounds: Bounds,
    bins: usize,
}

impl Taken {
    /// Nothing yet.
    pub(crate) const fn new(bounds: Bounds) -> Self {
        Self { bounds, bins: 0 }
    }

    /// Notes that there are so many rows, and that one of them had `before` bins and has `after` now.
    pub(crate) fn note(&mut self, rows: usize, before: usize, after: usize) -> Result<(), AggregateError> {
        self.bins = (self.bins + after).saturating_sub(before);
        let refused = |what, limit| Err(AggregateError::TooLarge { what, limit });
        if rows > self.bounds.rows {
            return refused("rows", self.bounds.rows);
        }
        if self.bins > self.bounds.bins {
            return refused("bins", self.bounds.bins);
        }
        Ok(())
    }
}
