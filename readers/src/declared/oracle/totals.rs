//! Values put together by metric and label.

use std::collections::{BTreeMap, BTreeSet};

use ping::OTHER;

use super::told::Told;
use crate::declaration::Metric;
use crate::declared::limits::{LABELS_PER_METRIC_MAX, VALUES_PER_METRIC_MAX};
use crate::values::Rule;

/// One value with its label, in the order of the body.
pub(super) enum Item {
    Category(Option<String>, String),
    /// Value, samples.
    Number(String, Option<String>, i64, i64),
}

/// The first labels keep their names.
pub(super) fn limit_labels(metric: &Metric, items: &mut [Item], told: &mut Told) {
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for item in items {
        let (name, label) = match item {
            Item::Category(label, _) => (metric.name.clone(), label),
            Item::Number(name, label, ..) => (name.clone(), label),
        };
        let Some(text) = label.clone().filter(|text| text != OTHER) else {
            continue;
        };
        let known = known.entry(name).or_default();
        if known.len() < LABELS_PER_METRIC_MAX || known.contains(&text) {
            known.insert(text);
        } else {
            *label = Some(OTHER.to_owned());
            told.note(&metric.name, Rule::TooManyLabels);
        }
    }
}

pub(super) fn add_numbers(metric: &Metric, items: &[Item], told: &mut Told) {
    let mut sums: BTreeMap<_, (i128, BTreeMap<i64, i64>)> = BTreeMap::new();
    for item in items {
        if let Item::Number(name, label, value, samples) = item {
            let key = (name.clone(), label.clone(), metric.kind.kind(), metric.layout);
            let (sum, bins) = sums.entry(key).or_default();
            *sum += i128::from(*value) * i128::from(*samples);
            *bins.entry(metric.layout.bin_of(*value)).or_default() += samples;
        }
    }
    for (key, (sum, bins)) in sums {
        match i64::try_from(sum) {
            Ok(sum) => {
                told.numbers.insert(key, (sum, bins));
            }
            Err(_) => told.note(&metric.name, Rule::NumberTooLarge),
        }
    }
}

pub(super) fn add_categories(metric: &Metric, items: Vec<Item>, told: &mut Told) {
    let mut known: BTreeMap<Option<String>, BTreeSet<String>> = BTreeMap::new();
    for item in items {
        let Item::Category(label, mut value) = item else {
            continue;
        };
        let known = known.entry(label.clone()).or_default();
        if value == OTHER || known.len() < VALUES_PER_METRIC_MAX || known.contains(&value) {
            if value != OTHER {
                known.insert(value.clone());
            }
        } else {
            OTHER.clone_into(&mut value);
            told.note(&metric.name, Rule::TooManyValues);
        }
        let key = (metric.name.clone(), label, value);
        *told.categories.entry(key).or_default() += 1;
    }
}
