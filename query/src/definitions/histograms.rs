//! Histograms.json: kinds, layouts and labels. Source of the layouts: the original's parse_histograms.py.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sketch::Layout;

use super::definition::{Bins, Definition, Kind};
use super::number;

/// The name of the bin of a categorical histogram that takes values without a label.
const SPILL: &str = "spill";

/// A metric, and what is wrong with its definition.
type Fault = (String, String);

/// Definitions by name.
pub(super) fn read(map: &Map<String, Value>) -> Result<BTreeMap<String, Definition>, Fault> {
    let one = |(name, entry): (&String, &Value)| match definition(entry) {
        Ok(definition) => Ok((name.clone(), definition)),
        Err(cause) => Err((name.clone(), cause)),
    };
    map.iter().map(one).collect()
}

fn definition(entry: &Value) -> Result<Definition, String> {
    let word = entry["kind"].as_str().unwrap_or_default();
    let kind = Kind::from_name(word).ok_or_else(|| format!("unknown kind `{word}`"))?;
    let description = entry["description"].as_str().unwrap_or_default().to_owned();
    let bins = match kind {
        Kind::Exponential | Kind::Linear => ranged(kind, entry)?,
        Kind::Enumerated => {
            let values = required(entry, "n_values")?;
            let bins = u32::try_from(values + 1).map_err(|_| "n_values is out of range".to_owned())?;
            Bins::Bounds(Layout::linear(1, values, bins).lower_bounds())
        }
        Kind::Boolean => Bins::Bounds(vec![0, 1, 2]),
        Kind::Flag => Bins::Bounds(vec![0, 1]),
        Kind::Count => Bins::Bounds(Layout::COUNT.lower_bounds()),
        Kind::Categorical => labels(entry)?,
    };
    Ok(Definition {
        kind,
        bins,
        description,
    })
}

fn ranged(kind: Kind, entry: &Value) -> Result<Bins, String> {
    let low = if entry.get("low").is_some() {
        required(entry, "low")?
    } else {
        1
    };
    let high = required(entry, "high")?;
    let count =
        u32::try_from(required(entry, "n_buckets")?).map_err(|_| "n_buckets is out of range".to_owned())?;
    let layout = match kind {
        Kind::Exponential => Layout::exponential(low, high, count),
        _ => Layout::linear(low, high, count),
    };
    Ok(Bins::Bounds(layout.lower_bounds()))
}

fn labels(entry: &Value) -> Result<Bins, String> {
    let labels = entry["labels"]
        .as_array()
        .ok_or("a categorical histogram needs `labels`")?;
    let text = |label: &Value| {
        label
            .as_str()
            .map(str::to_owned)
            .ok_or("a label must be a string")
    };
    let mut labels = labels.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    labels.push(SPILL.to_owned());
    Ok(Bins::Labels(labels))
}

fn required(entry: &Value, field: &str) -> Result<i64, String> {
    number::read(&entry[field]).ok_or_else(|| format!("`{field}` is missing or no number: {}", entry[field]))
}
