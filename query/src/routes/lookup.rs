//! Under which name a metric is stored, and how it is shown. Pure.

use sketch::Layout;

use crate::definitions::{Bins, Definition, Definitions, Kind};

/// Before the name of a metric that pings send as a count.
const COUNT: &str = "[[COUNT]]_";

/// A stored name with the definition for what is found there; without one, pings' own layouts are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lookup {
    /// The metric as it is stored.
    pub(crate) stored: String,
    /// How it is shown.
    pub(crate) definition: Option<Definition>,
    /// What it measures, also where the definition does not fit.
    pub(crate) description: String,
}

impl Lookup {
    /// The labels of a categorical histogram, what lies behind them last.
    pub(crate) fn labels(&self) -> Option<Vec<String>> {
        match &self.definition.as_ref()?.bins {
            Bins::Labels(labels) => Some(labels.clone()),
            Bins::Bounds(_) => None,
        }
    }

    /// Where to look for a metric, in this order. What pings sent as a count is stored with a prefix; a definition of
    /// that kind leads there first, and a metric without one is taken from wherever it has rows. The other place is
    /// the second, for pings of a time when the metric was of another kind.
    pub(crate) fn all(definitions: &Definitions, metric: &str) -> Vec<Self> {
        let bare = metric.strip_prefix(COUNT).unwrap_or(metric);
        let definition = definitions.get(bare);
        let description = definition
            .as_ref()
            .map(|definition| definition.description.clone())
            .unwrap_or_default();
        let is_count = definition
            .as_ref()
            .is_some_and(|definition| definition.kind == Kind::Count);
        let plain = Self {
            stored: bare.to_owned(),
            definition: definition.filter(|_| !is_count),
            description: description.clone(),
        };
        let counted = Self {
            stored: format!("{COUNT}{bare}"),
            definition: Some(Definition::numeric(
                Kind::Count,
                Layout::COUNT,
                description.clone(),
            )),
            description,
        };
        if metric.len() > bare.len() {
            vec![counted]
        } else if is_count {
            vec![counted, plain]
        } else {
            vec![plain, counted]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(metric: &str) -> Vec<(String, Option<Kind>)> {
        let text =
            r#"{"C": {"kind": "count", "description": "c"}, "B": {"kind": "boolean", "description": "b"}}"#;
        let mut definitions = Definitions::default();
        definitions.load("Histograms.json", text).expect("understood");
        let kind = |lookup: &Lookup| lookup.definition.as_ref().map(|definition| definition.kind);
        Lookup::all(&definitions, metric)
            .iter()
            .map(|lookup| (lookup.stored.clone(), kind(lookup)))
            .collect()
    }

    #[test]
    fn the_definitions_kind_says_where_to_look_first() {
        let of = |name: &str, kind| (name.to_owned(), kind);
        let count = Some(Kind::Count);
        assert_eq!(stored("C"), [of("[[COUNT]]_C", count), of("C", None)]);
        assert_eq!(
            stored("B"),
            [of("B", Some(Kind::Boolean)), of("[[COUNT]]_B", count)]
        );
        assert_eq!(stored("X"), [of("X", None), of("[[COUNT]]_X", count)]);
        assert_eq!(stored("[[COUNT]]_X"), [of("[[COUNT]]_X", count)]);
    }
}
