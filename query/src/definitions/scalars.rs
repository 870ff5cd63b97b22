//! Scalars.yaml: categories of scalars, each with a kind and a description. Numbers have the count layout.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What is said of a scalar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scalar {
    /// What it measures.
    pub(super) description: String,
    /// Whether it is a text.
    pub(super) is_string: bool,
}

/// Scalars by upper-case `CATEGORY.NAME`, or `None` when the map is no Scalars.yaml.
pub(super) fn read(map: &Map<String, Value>) -> Option<BTreeMap<String, Scalar>> {
    let mut found = BTreeMap::new();
    for (category, scalars) in map {
        for (name, scalar) in scalars.as_object()? {
            let kind = scalar.get("kind")?;
            let description = scalar["description"]
                .as_str()
                .unwrap_or_default()
                .trim()
                .to_owned();
            let scalar = Scalar {
                description,
                is_string: kind == "string",
            };
            found.insert(format!("{category}.{name}").to_uppercase(), scalar);
        }
    }
    Some(found)
}
