//! A definition file, recognised by its content.

use std::collections::BTreeMap;

use serde_json::Value;

use super::definition::Definition;
use super::{histograms, processes, scalars};

/// What one file says.
pub(super) enum Content {
    /// Histograms by name.
    Histograms(BTreeMap<String, Definition>),
    /// Descriptions of scalars, by upper-case name.
    Scalars(BTreeMap<String, String>),
    /// Descriptions of processes, by name.
    Processes(BTreeMap<String, String>),
}

/// A file that is no definition file, or says something impossible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// Neither JSON nor YAML.
    #[error(
        "{file}: neither JSON nor YAML ({cause}); give a Histograms.json, Scalars.yaml or Processes.yaml"
    )]
    Syntax {
        /// The file.
        file: String,
        /// What the parser said.
        cause: String,
    },
    /// Readable, but of no known shape.
    #[error("{file}: looks like none of Histograms.json, Scalars.yaml, Processes.yaml")]
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
}

/// Reads a file. JSON is tried first: a Histograms.json maps names to objects with `kind`. In YAML, a Processes.yaml
/// maps names to objects with `gecko_enum`; a Scalars.yaml maps categories to objects of scalars.
pub(super) fn read(file: &str, text: &str) -> Result<Content, DefinitionError> {
    let value: Value = serde_json::from_str(text)
        .or_else(|_| serde_saphyr::from_str(text))
        .map_err(|error| DefinitionError::Syntax {
            file: file.to_owned(),
            cause: error.to_string(),
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
