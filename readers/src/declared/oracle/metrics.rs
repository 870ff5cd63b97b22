//! A metric, read from a tree.

use ping::{OTHER, SubmissionDate};
use serde_json::Value;

use super::paths::found;
use super::told::Told;
use super::{totals, values};
use crate::declaration::Metric;
use crate::declared::limits::LABEL_BYTES_MAX;
use crate::values::Rule;

pub(super) fn read(metric: &Metric, body: &Value, received: SubmissionDate, told: &mut Told) {
    let mut items = Vec::new();
    for (value, keys) in found(body, &metric.path) {
        let label = if metric.labeled {
            match label_of(metric, &keys, told) {
                None => continue,
                label => label,
            }
        } else {
            None
        };
        values::read(metric, value, label.as_deref(), received, &mut items, told);
    }
    totals::limit_labels(metric, &mut items, told);
    totals::add_numbers(metric, &items, told);
    totals::add_categories(metric, items, told);
}

fn label_of(metric: &Metric, keys: &[&str], told: &mut Told) -> Option<String> {
    if keys.is_empty() {
        told.note(&metric.name, Rule::NoLabel);
        return None;
    }
    let joins = metric.path.stars() > 1;
    let mut encoded = keys.iter().map(|key| {
        if joins {
            key.replace('%', "%25").replace('/', "%2F")
        } else {
            (*key).to_owned()
        }
    });
    let label = encoded.by_ref().collect::<Vec<_>>().join("/");
    if label.is_empty() {
        told.note(&metric.name, Rule::NoLabel);
        return Some(OTHER.to_owned());
    }
    if label.len() > LABEL_BYTES_MAX {
        told.note(&metric.name, Rule::LabelTooLong);
        return Some(OTHER.to_owned());
    }
    if !metric.labels.is_empty() && !metric.labels.contains(&label) {
        told.note(&metric.name, Rule::ValueNotDeclared);
        return Some(OTHER.to_owned());
    }
    Some(label)
}
