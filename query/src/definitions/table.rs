//! The table of definitions, and how a metric's name leads to its definition.

use std::collections::{BTreeMap, BTreeSet};

use aggregate_store::Source;
use readers::declaration::Declaration;
use readers::definitions::Definitions as Gleans;
use sketch::Layout;

use super::definition::{Definition, Kind};
use super::file::{self, DefinitionError};
use super::said::{Products, Said, is_sent_in};
use super::scalars::Scalar;
use crate::limits::{BARE_PINGS_MAX, STRINGS_MAX};

/// What the metrics of scalars begin with.
const SCALARS: &str = "SCALARS_";

/// All definitions that were loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Definitions {
    histograms: BTreeMap<String, Definition>,
    scalars: BTreeMap<String, Scalar>,
    processes: BTreeMap<String, String>,
    glean: Gleans,
    products: Products,
}

impl Definitions {
    /// Adds what a file says, recognised by its content (Histograms.json, Scalars.yaml or Processes.yaml, or Glean's metrics.yaml
    /// or pings.yaml). What was there under the same name is replaced; of Glean's files each defines its own.
    ///
    /// # Errors
    /// When the text is none of these, or says something impossible, or defines for Glean what another file did. By its name a file is
    /// known as Glean's only where it cannot be read.
    pub fn load(&mut self, name: &str, text: &str) -> Result<(), DefinitionError> {
        let Self {
            histograms,
            scalars,
            processes,
            glean,
            products: _,
        } = self;
        match file::read(name, text)? {
            file::Content::Histograms(found) => histograms.extend(found),
            file::Content::Scalars(found) => scalars.extend(found),
            file::Content::Processes(found) => processes.extend(found),
            file::Content::Glean(found) => glean.add(found).map_err(|cause| DefinitionError::Twice {
                file: name.to_owned(),
                cause,
            })?,
        }
        Ok(())
    }

    /// Adds what a product's declaration says of the metrics of its sources, in place of what another one said of them.
    pub fn declare(&mut self, declaration: &Declaration) {
        self.products.declare(declaration);
    }

    /// What applications say of their Glean pings.
    #[must_use]
    pub const fn glean(&self) -> &Gleans {
        &self.glean
    }

    /// The pings that are Glean's though they have no sections about client and ping.
    ///
    /// # Errors
    /// When there are more than the fold compares with each ping.
    pub fn bare_pings(&self) -> Result<BTreeSet<String>, DefinitionError> {
        let pings = self.glean.pings.iter();
        let bare = pings.filter(|(_, ping)| ping.enabled && !ping.include_info_sections);
        let bare: BTreeSet<String> = bare.map(|(name, _)| name.clone()).collect();
        match bare.len() {
            0..=BARE_PINGS_MAX => Ok(bare),
            pings => Err(DefinitionError::BarePings(pings)),
        }
    }

    /// The metrics of scalars that are strings: their texts count by their values.
    ///
    /// # Errors
    /// When there are more than the fold compares with each text.
    pub fn strings(&self) -> Result<BTreeSet<String>, DefinitionError> {
        let scalars = self.scalars.iter();
        let strings = scalars.filter(|(_, scalar)| scalar.is_string);
        let strings: BTreeSet<String> = strings.map(|(name, _)| format!("{SCALARS}{name}")).collect();
        match strings.len() {
            0..=STRINGS_MAX => Ok(strings),
            strings => Err(DefinitionError::Strings(strings)),
        }
    }

    /// Whether a metric of the original's source is a text. Its clients know none.
    pub(crate) fn is_string(&self, metric: &str) -> bool {
        let scalar = metric.strip_prefix(SCALARS);
        let scalar = scalar.and_then(|name| self.scalars.get(name));
        scalar.is_some_and(|scalar| scalar.is_string)
    }

    /// Whether a product's declaration says how a source is read.
    pub(crate) fn is_declared(&self, source: &Source) -> bool {
        self.products.holds(source)
    }

    /// The dimensions that a product's declaration gives a source, whether any ping stated them or not.
    pub(crate) fn dimensions(&self, source: &Source) -> &[String] {
        self.products.dimensions(source)
    }

    /// What is said of a metric of a source other than the original's, by the name it is asked under. A definition of Glean's is one of every
    /// source of Glean's in whose pings it is sent.
    pub(crate) fn said(&self, source: &Source, metric: &str) -> Option<Said<'_>> {
        if let Some(declared) = self.products.of(source) {
            return declared.get(metric).map(Said::declared);
        }
        let definition = self.glean.metric(metric)?;
        is_sent_in(definition, source).then(|| Said::defined(definition))
    }

    /// Whether a file says what a metric of the original's source is.
    pub(crate) fn names(&self, metric: &str) -> bool {
        let scalar = metric.strip_prefix(SCALARS);
        scalar.map_or_else(
            || self.histogram(metric).is_some(),
            |scalar| self.scalars.contains_key(scalar),
        )
    }

    /// Whether nothing was loaded.
    pub fn is_empty(&self) -> bool {
        self.histograms.is_empty()
            && self.scalars.is_empty()
            && self.processes.is_empty()
            && self.glean == Gleans::default()
    }

    /// The definition of a metric by the name it is asked under, if one is known. Simple measurements, scalars and use
    /// counters need no file; `STARTUP_<X>` without a definition of its own has that of `<X>`.
    pub fn get(&self, metric: &str) -> Option<Definition> {
        if metric.starts_with("SIMPLE_MEASURES_") {
            return Some(Definition::numeric(Kind::Exponential, Layout::SIMPLE, ""));
        }
        if let Some(scalar) = metric.strip_prefix(SCALARS) {
            let known = self.scalars.get(scalar);
            let description = known.map_or("", |scalar| &scalar.description);
            return Some(Definition::numeric(Kind::Exponential, Layout::COUNT, description));
        }
        let found = self.histogram(metric).cloned();
        found.or_else(|| built_in(metric))
    }

    fn histogram(&self, metric: &str) -> Option<&Definition> {
        let own = self.histograms.get(metric);
        own.or_else(|| self.histograms.get(metric.strip_prefix("STARTUP_")?))
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
