//! Processes.yaml: the processes that send metrics, with descriptions.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Descriptions by process name.
pub(super) fn read(map: &Map<String, Value>) -> BTreeMap<String, String> {
    let description = |entry: &Value| {
        entry["description"]
            .as_str()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    map.iter()
        .map(|(name, entry)| (name.clone(), description(entry)))
        .collect()
}
