//! What differs between two fold versions, for a person to read.

use std::collections::BTreeMap;

use aggregate_store::FoldVersion;
use serde_json::Value;

/// Each difference, as `labels_per_metric: 5000 before, 6000 now`.
pub fn differences(before: &FoldVersion, now: &FoldVersion) -> Vec<String> {
    let (before, now) = (flat(before), flat(now));
    let mut names: Vec<&String> = before.keys().chain(now.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let text = |values: &BTreeMap<String, String>, name: &String| {
        values
            .get(name)
            .cloned()
            .unwrap_or_else(|| "the default".to_owned())
    };
    names
        .into_iter()
        .map(|name| (name, text(&before, name), text(&now, name)))
        .filter(|(_, before, now)| before != now)
        .map(|(name, before, now)| format!("{name}: {before} before, {now} now"))
        .collect()
}

fn flat(version: &FoldVersion) -> BTreeMap<String, String> {
    let settings: Value = serde_json::from_str(&version.settings).unwrap_or_default();
    let mut values = BTreeMap::from([("code".to_owned(), version.code.to_string())]);
    for (name, value) in settings.as_object().into_iter().flatten() {
        match value {
            Value::Object(caps) => {
                values.extend(caps.iter().map(|(name, value)| (name.clone(), value.to_string())));
            }
            value => {
                values.insert(name.clone(), value.to_string());
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::FoldSettings;

    #[test]
    fn what_differs_is_named_with_both_values() {
        let before = FoldSettings::default();
        let mut now = before.clone();
        assert_eq!(
            differences(&before.version(), &now.version()),
            Vec::<String>::new()
        );
        now.caps.labels_per_metric = 6_000;
        now.caps.inflated_bytes = 1;
        now.folded.pop();
        assert_eq!(
            differences(&before.version(), &now.version()),
            [
                "folded: [\"main\",\"saved-session/Fennec\"] before, [\"main\"] now",
                "inflated_bytes: the default before, 1 now",
                "labels_per_metric: 5000 before, 6000 now",
            ]
        );
    }
}
