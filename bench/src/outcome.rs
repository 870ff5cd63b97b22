//! A row of the table: the work, its yardstick, its bar, and what was measured.

use std::fmt;

use crate::pairs::Pairs;

/// A row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// What was done, such as `fold, generated pings`.
    pub(crate) work: String,
    /// What it is held against.
    pub(crate) yardstick: &'static str,
    /// Which figures are good.
    pub(crate) bar: Option<Bar>,
    /// What came out.
    pub(crate) outcome: Outcome,
    /// Lines below the table: where the time goes, what to mind.
    pub(crate) notes: Vec<String>,
    /// Why the row says nothing, if so: then the run fails.
    pub(crate) void: Option<String>,
}

/// Which figures are good.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bar {
    /// This one and lower ones.
    AtMost(f64),
    /// This one and higher ones.
    AtLeast(f64),
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
    /// Two figures of one unit that is not CPU time, the yardstick's beside ours.
    Compared {
        /// The pairs.
        pairs: Pairs,
        /// Their unit.
        unit: &'static str,
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
            bar: bar.map(Bar::AtMost),
            outcome,
            notes: Vec::new(),
            void: None,
        }
    }

    /// A row of ratios of figures that are not CPU time.
    pub(crate) fn compared(
        work: impl Into<String>,
        yardstick: &'static str,
        bar: Bar,
        unit: &'static str,
        pairs: Pairs,
    ) -> Self {
        Self {
            work: work.into(),
            yardstick,
            bar: Some(bar),
            outcome: Outcome::Compared { pairs, unit },
            notes: Vec::new(),
            void: None,
        }
    }

    /// A row of one number.
    pub(crate) fn figure(work: impl Into<String>, value: f64, unit: &'static str, bar: Option<f64>) -> Self {
        let outcome = Outcome::Figure { value, unit };
        Self {
            work: work.into(),
            yardstick: "",
            bar: bar.map(Bar::AtMost),
            outcome,
            notes: Vec::new(),
            void: None,
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
            void: None,
        }
    }

    /// A row of which nothing can be said though it should be: the run fails.
    pub(crate) fn failed(work: impl Into<String>, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::left_out(work, reason.clone()).void(Some(reason))
    }

    /// The same with a line below the table.
    pub(crate) fn note(mut self, line: impl Into<String>) -> Self {
        self.notes.push(line.into());
        self
    }

    /// The same, saying nothing when there is a reason.
    pub(crate) fn void(mut self, reason: Option<String>) -> Self {
        self.void = reason;
        self
    }

    /// The word that is printed for a figure of this row; empty where nothing is aimed at.
    pub(crate) fn verdict(&self, figure: f64) -> &'static str {
        match self.bar {
            _ if self.void.is_some() => "VOID",
            Some(bar) if bar.is_met(figure) => "met",
            Some(_) => "MISSED",
            None => "",
        }
    }
}

impl Bar {
    /// Whether a figure is good; what is no number is not.
    fn is_met(self, figure: f64) -> bool {
        match self {
            Self::AtMost(bar) => figure <= bar,
            Self::AtLeast(bar) => figure >= bar,
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(bar) => write!(f, "<= {bar:.2}"),
            Self::AtLeast(bar) => write!(f, ">= {bar:.2}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_met_on_the_good_side_of_its_bar_only() {
        let row = |bar| Row::compared("work", "yardstick", bar, "1/s", Pairs::default());
        for (figure, at_most, at_least) in [
            (0.5, "met", "MISSED"),
            (1.0, "met", "met"),
            (1.5, "MISSED", "met"),
            (f64::NAN, "MISSED", "MISSED"),
        ] {
            assert_eq!(row(Bar::AtMost(1.0)).verdict(figure), at_most, "{figure}");
            assert_eq!(row(Bar::AtLeast(1.0)).verdict(figure), at_least, "{figure}");
        }
        assert_eq!(Row::figure("work", 1.0, "", None).verdict(1.0), "");
    }

    #[test]
    fn a_void_row_is_neither_met_nor_missed() {
        let row = Row::figure("work", 1.0, "", Some(2.0)).void(Some("one sample".to_owned()));
        assert_eq!(row.verdict(1.0), "VOID");
    }
}
