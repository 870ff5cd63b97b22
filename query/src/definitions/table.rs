//! The table of definitions, and how a metric's name leads to its definition.

use std::collections::BTreeMap;

use sketch::Layout;

use super::definition::{Definition, Kind};
use super::file::{self, DefinitionError};

/// All definitions that were loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    histograms: BTreeMap<String, Definition>,
    scalars: BTreeMap<String, String>,
    processes: BTreeMap<String, String>,
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
