//! The table of definitions, and how a metric's name leads to its definition.

use std::collections::BTreeMap;

use sketch::Layout;

use super::file::{self, DefinitionError};

/// The kind of a metric in answers, in the original's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Bins that grow geometrically.
    Exponential,
    /// Bins of equal width.
    Linear,
    /// One bin a value.
    Enumerated,
    /// False and true.
    Boolean,
    /// Never set, or set.
    Flag,
    /// One number a ping, binned by the count layout.
    Count,
    /// One bin a label.
    Categorical,
}

/// The bins of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bins {
    /// By lower bound, ascending.
    Bounds(Vec<i64>),
    /// By label: value i is the bin with lower bound i; a last one, `spill`, the bin with lower bound `labels.len()`.
    Labels(Vec<String>),
}

/// What is known of a metric beside its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its kind.
    pub kind: Kind,
    /// Its bins, as an answer shows them.
    pub bins: Bins,
    /// What it measures; may be empty.
    pub description: String,
}

/// All definitions that were loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    histograms: BTreeMap<String, Definition>,
    scalars: BTreeMap<String, String>,
    processes: BTreeMap<String, String>,
}

impl Kind {
    /// The kind's word in answers and in definition files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exponential => "exponential",
            Self::Linear => "linear",
            Self::Enumerated => "enumerated",
            Self::Boolean => "boolean",
            Self::Flag => "flag",
            Self::Count => "count",
            Self::Categorical => "categorical",
        }
    }

    /// The kind with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::Exponential,
            Self::Linear,
            Self::Enumerated,
            Self::Boolean,
            Self::Flag,
            Self::Count,
            Self::Categorical,
        ];
        all.into_iter().find(|kind| kind.name() == name)
    }
}

impl Definition {
    /// A metric binned by a layout of plain numbers.
    pub fn numeric(kind: Kind, layout: Layout, description: impl Into<String>) -> Self {
        Self {
            kind,
            bins: Bins::Bounds(layout.lower_bounds()),
            description: description.into(),
        }
    }

    /// A metric of two values: its bins are 0, 1 and 2.
    pub fn boolean(description: impl Into<String>) -> Self {
        Self {
            kind: Kind::Boolean,
            bins: Bins::Bounds(vec![0, 1, 2]),
            description: description.into(),
        }
    }
}

impl Definitions {
    /// Adds what a file says, recognised by its content (Histograms.json, Scalars.yaml or Processes.yaml). What was
    /// there under the same name is replaced.
    ///
    /// # Errors
    /// When the text is none of the three, or says something impossible; `name` is only for the message.
    pub fn load(&mut self, name: &str, text: &str) -> Result<(), DefinitionError> {
        let Self {
            histograms,
            scalars,
            processes,
        } = self;
        match file::read(name, text)? {
            file::Content::Histograms(found) => histograms.extend(found),
            file::Content::Scalars(found) => scalars.extend(found),
            file::Content::Processes(found) => processes.extend(found),
        }
        Ok(())
    }

    /// Whether nothing was loaded.
    pub fn is_empty(&self) -> bool {
        self.histograms.is_empty() && self.scalars.is_empty() && self.processes.is_empty()
    }

    /// The definition of a metric by the name it is asked under, if one is known. Simple measurements, scalars and use
    /// counters need no file; `STARTUP_<X>` without a definition of its own has that of `<X>`.
    pub fn get(&self, metric: &str) -> Option<Definition> {
        if metric.starts_with("SIMPLE_MEASURES_") {
            return Some(Definition::numeric(Kind::Exponential, Layout::SIMPLE, ""));
        }
        if let Some(scalar) = metric.strip_prefix("SCALARS_") {
            let description = self.scalars.get(scalar).cloned().unwrap_or_default();
            return Some(Definition::numeric(Kind::Exponential, Layout::COUNT, description));
        }
        let own = self.histograms.get(metric);
        let found = own
            .or_else(|| self.histograms.get(metric.strip_prefix("STARTUP_")?))
            .cloned();
        found.or_else(|| built_in(metric))
    }

    /// The processes that were described, with their descriptions.
    pub fn processes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.processes
            .iter()
            .map(|(name, description)| (name.as_str(), description.as_str()))
    }
}

/// Definitions that hold without a file.
fn built_in(metric: &str) -> Option<Definition> {
    if metric.starts_with("USE_COUNTER_") || metric.starts_with("USE_COUNTER2_") {
        return Some(Definition::boolean(""));
    }
    (metric == "EVENTLOOP_UI_LAG_EXP_MS")
        .then(|| Definition::numeric(Kind::Exponential, Layout::exponential(50, 60_000, 20), ""))
}
