//! A definition file, recognised by its content.

use std::collections::BTreeMap;

use readers::definitions::{DefinedTwice, Definitions as Gleans};
use serde_json::Value;

use super::definition::Definition;
use super::scalars::{self, Scalar};
use super::{histograms, processes};
use crate::limits::{BARE_PINGS_MAX, STRINGS_MAX};

/// What one file says.
pub(super) enum Content {
    /// Histograms by name.
    Histograms(BTreeMap<String, Definition>),
    /// Scalars, by upper-case name.
    Scalars(BTreeMap<String, Scalar>),
    /// Descriptions of processes, by name.
    Processes(BTreeMap<String, String>),
    /// What an application says of its Glean pings.
    Glean(Gleans),
}

/// A file that is no definition file, or says something impossible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// Neither JSON nor YAML.
    #[error(
        "{file}: neither JSON nor YAML ({cause}); give a Histograms.json, Scalars.yaml or Processes.yaml, or Glean's metrics.yaml or \
         pings.yaml"
    )]
    Syntax {
        /// The file.
        file: String,
        /// What the parser said.
        cause: String,
    },
    /// Readable, but of no known shape.
    #[error(
        "{file}: looks like none of Histograms.json, Scalars.yaml, Processes.yaml, nor like Glean's files, which begin with `$schema`"
    )]
    Unrecognised {
        /// The file.
        file: String,
    },
    /// One definition is impossible.
    #[error("{file}: {metric}: {cause}")]
    Metric {
        /// The file.
        file: String,
        /// The metric.
        metric: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A file of Glean's with faults: all of them, a line each.
    #[error("{0}")]
    Faults(String),
    /// Two of Glean's files define one thing.
    #[error("{file}: {cause}")]
    Twice {
        /// The later file.
        file: String,
        /// What both define.
        cause: DefinedTwice,
    },
    /// Too many pings without info sections.
    #[error("{0} pings have `include_info_sections: false`, and at most {BARE_PINGS_MAX} may")]
    BarePings(usize),
    /// Too many strings among scalars.
    #[error("{0} scalars are strings, and at most {STRINGS_MAX} may be")]
    Strings(usize),
}

/// How Glean's files are called; a file of any name is one that names its `$schema`.
const GLEANS: [&str; 4] = ["metrics.yaml", "metrics.yml", "pings.yaml", "pings.yml"];

/// The key by which a file of Glean's says what it defines.
const SCHEMA: &str = "$schema";

/// Reads a file. JSON is tried first: a Histograms.json maps names to objects with `kind`. In YAML, a Processes.yaml
/// maps names to objects with `gecko_enum`; a Scalars.yaml maps categories to objects of scalars; files of Glean's have a `$schema`.
pub(super) fn read(file: &str, text: &str) -> Result<Content, DefinitionError> {
    let parsed = serde_json::from_str(text).or_else(|_| serde_saphyr::from_str(text));
    let is_gleans = match &parsed {
        Ok(value @ Value::Object(_)) => value.get(SCHEMA).is_some(),
        Ok(_) => false,
        Err(_) => text.lines().any(|line| line.starts_with(SCHEMA)),
    };
    if is_gleans {
        return gleans(file, text);
    }
    let read = others(file, parsed.map_err(|error| error.to_string()));
    if read.is_err() && GLEANS.iter().any(|name| file.ends_with(name)) {
        return gleans(file, text);
    }
    read
}

/// Reads a file of Glean's.
fn gleans(file: &str, text: &str) -> Result<Content, DefinitionError> {
    Gleans::read(text).map(Content::Glean).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(|fault| format!("{file}: {fault}")).collect();
        DefinitionError::Faults(lines.join("\n"))
    })
}

/// Reads what a file says that is none of Glean's.
fn others(file: &str, parsed: Result<Value, String>) -> Result<Content, DefinitionError> {
    let value = parsed.map_err(|cause| DefinitionError::Syntax {
        file: file.to_owned(),
        cause,
    })?;
    let unrecognised = || DefinitionError::Unrecognised {
        file: file.to_owned(),
    };
    let map = value
        .as_object()
        .filter(|map| !map.is_empty())
        .ok_or_else(unrecognised)?;
    let all_have = |key: &str| map.values().all(|entry| entry.get(key).is_some());
    let metric_error = |(metric, cause)| DefinitionError::Metric {
        file: file.to_owned(),
        metric,
        cause,
    };
    if all_have("kind") {
        return histograms::read(map)
            .map(Content::Histograms)
            .map_err(metric_error);
    }
    if all_have("gecko_enum") {
        return Ok(Content::Processes(processes::read(map)));
    }
    scalars::read(map).map(Content::Scalars).ok_or_else(unrecognised)
}
