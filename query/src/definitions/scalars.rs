//! Scalars.yaml: categories of scalars, each with a kind and a description. All scalars have the count layout.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Descriptions by upper-case `CATEGORY.NAME`, or `None` when the map is no Scalars.yaml.
pub(super) fn read(map: &Map<String, Value>) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for (category, scalars) in map {
        for (name, scalar) in scalars.as_object()? {
            scalar.get("kind")?;
            let description = scalar["description"]
                .as_str()
                .unwrap_or_default()
                .trim()
                .to_owned();
            found.insert(format!("{category}.{name}").to_uppercase(), description);
        }
    }
    Some(found)
}
