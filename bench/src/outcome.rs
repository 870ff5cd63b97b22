//! A row of the table: the work, its yardstick, its bar, and what was measured.

use crate::pairs::Pairs;

/// A row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// What was done, such as `fold, generated pings`.
    pub(crate) work: String,
    /// What it is held against.
    pub(crate) yardstick: &'static str,
    /// The highest figure that is good; for a rate, the lowest.
    pub(crate) bar: Option<f64>,
    /// What came out.
    pub(crate) outcome: Outcome,
    /// Lines below the table: where the time goes, what to mind.
    pub(crate) notes: Vec<String>,
}

/// What came out.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// CPU time against the yardstick's, for so many pings a run.
    Ratios {
        /// The pairs.
        pairs: Pairs,
        /// Pings a run.
        pings: usize,
    },
    /// One number that does not vary, such as stored bytes per received byte.
    Figure {
        /// The number.
        value: f64,
        /// Its unit; empty for a ratio.
        unit: &'static str,
    },
    /// It could not be measured, and why.
    LeftOut(String),
    /// It was measured and says nothing, and why: the run fails.
    Void(String),
}

impl Row {
    /// A row of ratios.
    pub(crate) fn ratios(
        work: impl Into<String>,
        yardstick: &'static str,
        bar: f64,
        pings: usize,
        pairs: Pairs,
    ) -> Self {
        Self::against(work, yardstick, Some(bar), pings, pairs)
    }

    /// A row of ratios that may have no bar.
    pub(crate) fn against(
        work: impl Into<String>,
        yardstick: &'static str,
        bar: Option<f64>,
        pings: usize,
        pairs: Pairs,
    ) -> Self {
        let outcome = Outcome::Ratios { pairs, pings };
        Self {
            work: work.into(),
            yardstick,
            bar,
            outcome,
            notes: Vec::new(),
        }
    }

    /// A row of one number.
    pub(crate) fn figure(work: impl Into<String>, value: f64, unit: &'static str, bar: Option<f64>) -> Self {
        let outcome = Outcome::Figure { value, unit };
        Self {
            work: work.into(),
            yardstick: "",
            bar,
            outcome,
            notes: Vec::new(),
        }
    }

    /// A row that could not be measured.
    pub(crate) fn left_out(work: impl Into<String>, reason: impl Into<String>) -> Self {
        let outcome = Outcome::LeftOut(reason.into());
        Self {
            work: work.into(),
            yardstick: "",
            bar: None,
            outcome,
            notes: Vec::new(),
        }
    }

    /// A row that says nothing.
    pub(crate) fn void(work: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Void(reason.into()),
            ..Self::left_out(work, "")
        }
    }

    /// The same with a line below the table.
    pub(crate) fn note(mut self, line: impl Into<String>) -> Self {
        self.notes.push(line.into());
        self
    }
}
