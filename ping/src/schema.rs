//! Which values of each dimension partition chunks, per namespace, and where in the URI they come from.
//!
//! A schema only decides where a ping is kept. What a ping counts for is read from the ping, and a selection also
//! reads chunks with `OTHER`, so an edited schema loses nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::dimension::{Dimension, OTHER, Partition, UNKNOWN};
use crate::limits::DIMENSION_VALUE_ENCODED_BYTES_MAX;
use crate::submission::date_value;
use crate::{Submission, SubmissionDate};

/// The schema that is used when none is given: the original's production lists for `telemetry`, anything elsewhere.
const DEFAULT: &str = include_str!("default-schema.toml");

/// For each namespace, the source and the allowed values of each dimension. `*` names all other namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DimensionSchema {
    namespaces: BTreeMap<String, NamespaceRules>,
    /// Namespaces and document types that are named whatever the rules say.
    told_apart: BTreeMap<String, BTreeSet<String>>,
}

/// The text is no dimension schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// It is not TOML of the expected shape.
    #[error("dimension schema: {0}")]
    Syntax(String),
    /// It has another version than 1.
    #[error("dimension schema: version {0} is not known here; this program reads version 1")]
    Version(u32),
    /// A namespace gives no rule for a dimension, and there is no `*` namespace.
    #[error(
        "dimension schema: no namespace `*`, so pings of other namespaces would have no partition; add [namespace.\"*\"]"
    )]
    NoDefaultNamespace,
}

type NamespaceRules = BTreeMap<String, Rule>;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaFile {
    version: u32,
    namespace: BTreeMap<String, NamespaceRules>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    from: Source,
    #[serde(default)]
    allowed: Allowed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    Namespace,
    DocumentType,
    DocumentVersion,
    AppName,
    AppUpdateChannel,
    AppVersion,
    AppBuildId,
}

/// Allowed values: any, a list (an entry that ends in `*` is a prefix), or an inclusive range of strings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Allowed {
    #[default]
    Any,
    List(Vec<String>),
    Range {
        min: Option<String>,
        max: Option<String>,
    },
}

impl Default for DimensionSchema {
    fn default() -> Self {
        Self::parse(DEFAULT).expect("the built-in schema is tested")
    }
}

impl DimensionSchema {
    /// Reads a schema file (TOML).
    ///
    /// # Errors
    /// When the text is malformed, of another version, or lacks rules for namespaces it does not name.
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        let file: SchemaFile =
            toml::from_str(text).map_err(|error| SchemaError::Syntax(error.to_string()))?;
        if file.version != 1 {
            return Err(SchemaError::Version(file.version));
        }
        for name in file.namespace.values().flat_map(NamespaceRules::keys) {
            if Dimension::from_name(name).is_none_or(|dimension| dimension == Dimension::SubmissionDate) {
                let known: Vec<_> = Dimension::ALL[1..]
                    .iter()
                    .map(|dimension| dimension.name())
                    .collect();
                return Err(SchemaError::Syntax(format!(
                    "unknown dimension `{name}`; known are {}",
                    known.join(", ")
                )));
            }
        }
        if !file.namespace.contains_key("*") {
            return Err(SchemaError::NoDefaultNamespace);
        }
        Ok(Self {
            namespaces: file.namespace,
            told_apart: BTreeMap::new(),
        })
    }

    /// The same for these namespaces; pings of all others are kept under `OTHER`, whatever they say.
    #[must_use]
    pub fn with_namespaces(mut self, known: &[String]) -> Self {
        let others = self.namespaces["*"].clone();
        for name in known {
            self.namespaces
                .entry(name.clone())
                .or_insert_with(|| others.clone());
        }
        self.namespaces
            .retain(|name, _| name == "*" || known.contains(name));
        let nothing = Allowed::List(Vec::new());
        if let Some(rules) = self.namespaces.get_mut("*") {
            for rule in rules.values_mut() {
                rule.allowed = nothing.clone();
            }
        }
        self
    }

    /// The same where pings of these sources (namespace and document type) are always kept apart from all others, whatever the rules
    /// of their namespace say: so that they can be deleted before others.
    #[must_use]
    pub fn telling_apart(mut self, sources: impl IntoIterator<Item = (String, String)>) -> Self {
        for (namespace, document_type) in sources {
            self.told_apart
                .entry(namespace)
                .or_default()
                .insert(document_type);
        }
        self
    }

    /// Whether pings of this source are always kept apart from all others.
    #[must_use]
    pub fn tells_apart(&self, namespace: &str, document_type: &str) -> bool {
        let told = self.told_apart.get(namespace);
        told.is_some_and(|told| told.contains(document_type))
    }

    /// Where a ping is kept: each value allowed by the schema, else `OTHER`; absent or empty, `UNKNOWN`.
    pub fn partition(&self, submission: &Submission, date: SubmissionDate) -> Partition {
        let rules = self
            .namespaces
            .get(&submission.namespace)
            .unwrap_or_else(|| &self.namespaces["*"]);
        let value = |dimension: Dimension| match rules.get(dimension.name()) {
            Some(rule) => rule.normalise(submission),
            None => UNKNOWN.to_owned(),
        };
        let mut partition = Partition::new(Dimension::ALL.map(|dimension| match dimension {
            Dimension::SubmissionDate => date_value(date),
            other => value(other),
        }));
        let document_type = submission.document_type.as_deref().unwrap_or_default();
        if self.tells_apart(&submission.namespace, document_type) {
            partition.set(Dimension::SourceName, submission.namespace.clone());
            partition.set(Dimension::DocType, document_type);
        }
        partition
    }
}

impl Rule {
    fn normalise(&self, submission: &Submission) -> String {
        let value = match self.from {
            Source::Namespace => Some(submission.namespace.as_str()),
            Source::DocumentType => submission.document_type.as_deref(),
            Source::DocumentVersion => submission.document_version.as_deref(),
            Source::AppName => submission.app_name.as_deref(),
            Source::AppUpdateChannel => submission.app_update_channel.as_deref(),
            Source::AppVersion => submission.app_version.as_deref(),
            Source::AppBuildId => submission.app_build_id.as_deref(),
        };
        match value {
            None | Some("") => UNKNOWN.to_owned(),
            Some(value)
                if self.allowed.admits(value) && encoded_len(value) <= DIMENSION_VALUE_ENCODED_BYTES_MAX =>
            {
                value.to_owned()
            }
            Some(_) => OTHER.to_owned(),
        }
    }
}

impl Allowed {
    fn admits(&self, value: &str) -> bool {
        match self {
            Self::Any => true,
            Self::List(values) => values.iter().any(|allowed| match allowed.strip_suffix('*') {
                Some(prefix) => value.starts_with(prefix),
                None => value == allowed,
            }),
            Self::Range { min, max } => {
                min.as_deref().is_none_or(|min| value >= min) && max.as_deref().is_none_or(|max| value <= max)
            }
        }
    }
}

/// Bytes of a value when everything outside `A-Za-z0-9-._~` is written `%XX`.
fn encoded_len(value: &str) -> usize {
    value
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                1
            } else {
                3
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_is_told_apart_is_named_whatever_the_rules_say() {
        let date = "20170131".parse().expect("a date");
        let only = "version = 1\n[namespace.\"*\"]\nsource_name = { from = \"namespace\", allowed = [\"shop\"] }\n\
                    doc_type = { from = \"document_type\", allowed = [\"visit\"] }\n";
        let schemas = [
            DimensionSchema::default(),
            DimensionSchema::default().with_namespaces(&["telemetry".to_owned()]),
            DimensionSchema::parse(only).expect("a schema"),
        ];
        for schema in schemas {
            let told = schema
                .clone()
                .telling_apart([("acme".to_owned(), "usage".to_owned())]);
            for (uri, is_told) in [
                ("/submit/acme/usage/1/x", true),
                ("/submit/acme/other/1/x", false),
            ] {
                let submission = Submission::parse(uri).expect("a submission");
                let (before, after) = (
                    schema.partition(&submission, date),
                    told.partition(&submission, date),
                );
                if is_told {
                    assert_eq!(after.get(Dimension::SourceName), "acme");
                    assert_eq!(after.get(Dimension::DocType), "usage");
                } else {
                    assert_eq!(after, before);
                }
            }
        }
    }

    #[test]
    fn of_namespaces_that_are_not_declared_no_name_is_kept() {
        let schema = DimensionSchema::default().with_namespaces(&["telemetry".to_owned(), "shop".to_owned()]);
        let date = "20170131".parse().expect("a date");
        let partition = |uri: &str| {
            let submission = Submission::parse(uri).expect("a submission");
            schema.partition(&submission, date)
        };
        let id = "00000000-0000-4000-8000-000000000001";
        let known = partition(&format!("/submit/shop/order/1/{id}"));
        assert_eq!(
            known,
            DimensionSchema::default().partition(
                &Submission::parse(&format!("/submit/shop/order/1/{id}")).expect("a submission"),
                date,
            )
        );
        assert_eq!(known.get(Dimension::SourceName), "shop");
        for name in ["nobody", "shop2", "other"] {
            let other = partition(&format!("/submit/{name}/any/1/{id}"));
            for dimension in &Dimension::ALL[1..] {
                assert!([OTHER, UNKNOWN].contains(&other.get(*dimension)), "{other:?}");
            }
        }
        let telemetry = format!("/submit/telemetry/{id}/main/Firefox/54.0a1/nightly/20170130030205");
        assert_eq!(partition(&telemetry).get(Dimension::AppUpdateChannel), "nightly");
    }

    fn partition(uri: &str) -> Vec<String> {
        let submission = Submission::parse(uri).expect("a submission");
        let date = "20170131".parse().expect("a date");
        DimensionSchema::default()
            .partition(&submission, date)
            .iter()
            .map(|(_, value)| value.to_owned())
            .collect()
    }

    #[test]
    fn the_production_lists_bind_telemetry_only() {
        let uri = "/submit/telemetry/x/main/Firefox/54.0a1/nightly-cck-x/20170130030205?v=4";
        assert_eq!(
            partition(uri),
            [
                "20170131",
                "telemetry",
                "4",
                "main",
                "Firefox",
                "OTHER",
                "54.0a1",
                "20170130030205"
            ]
        );
        let glean = "/submit/org-mozilla-fenix/baseline/1/x";
        assert_eq!(
            partition(glean),
            [
                "20170131",
                "org-mozilla-fenix",
                "1",
                "baseline",
                "UNKNOWN",
                "UNKNOWN",
                "UNKNOWN",
                "UNKNOWN"
            ]
        );
    }

    #[test]
    fn what_is_absent_is_unknown_and_what_is_not_allowed_is_other() {
        assert_eq!(
            partition("/submit/telemetry/x"),
            [
                "20170131",
                "telemetry",
                "UNKNOWN",
                "UNKNOWN",
                "UNKNOWN",
                "UNKNOWN",
                "UNKNOWN",
                "UNKNOWN"
            ]
        );
        assert_eq!(
            partition("/submit/telemetry/x/brand-new/Opera")[3..5],
            ["OTHER", "OTHER"]
        );
    }

    #[test]
    fn a_value_that_would_make_an_impossible_key_is_other() {
        let long = |length: usize| {
            partition(&format!(
                "/submit/telemetry/x/main/Firefox/{}/nightly/1",
                "a".repeat(length)
            ))[6]
                .clone()
        };
        assert_eq!(long(96).len(), 96);
        assert_eq!(long(97), "OTHER");
        let wide = |count: usize| {
            partition(&format!(
                "/submit/telemetry/x/main/Firefox/{}/nightly/1",
                "%C3%A9".repeat(count)
            ))[6]
                .clone()
        };
        assert_eq!(wide(16), "é".repeat(16));
        assert_eq!(wide(17), "OTHER");
    }

    #[test]
    fn lists_prefixes_and_ranges_are_kept_to() {
        let list = Allowed::List(vec!["foo".to_owned(), "nightly*".to_owned()]);
        assert!(
            list.admits("foo") && list.admits("nightly-x") && !list.admits("food") && !list.admits("beta")
        );
        let range = Allowed::Range {
            min: Some("aaa".to_owned()),
            max: Some("bbb".to_owned()),
        };
        assert!(range.admits("aaa") && range.admits("all") && range.admits("bbb"));
        assert!(!range.admits("100") && !range.admits("aa0") && !range.admits("bbc"));
    }

    #[test]
    fn a_broken_schema_says_what_is_wrong() {
        let message = |text: &str| DimensionSchema::parse(text).expect_err(text).to_string();
        assert!(message("version = 2\n[namespace]").contains("version 2"));
        assert!(message("version = 1\n[namespace.telemetry]").contains("[namespace.\"*\"]"));
        assert!(
            message("version = 1\n[namespace.\"*\"]\nchannel = { from = \"app_name\" }")
                .contains("unknown dimension `channel`")
        );
        assert!(message("version = 1\n[namespace.\"*\"]\napp_name = { from = \"moon\" }").contains("moon"));
    }
}
