//! `metrics`, and how what they count is put together.

use std::collections::BTreeMap;

use ping::OTHER;
use sketch::Layout;

use super::slow::Slow;
use super::totals::Sums;
use super::tree::Tree;
use super::value::{Meaning, meaning};
use crate::glean::limits;
use crate::values::{Kind, Rule};

impl Slow<'_> {
    pub(super) fn metrics(&mut self, metrics: &Tree) {
        for (section, metrics) in self.named(metrics) {
            for (metric, value) in self.named(metrics) {
                if metric.len() > limits::NAME_BYTES_MAX {
                    self.totals.count_note(Rule::NameTooLong, "body");
                    continue;
                }
                self.metric(section, metric, value);
            }
        }
    }

    /// Members of an object of names; of anything else none.
    fn named<'t>(&mut self, tree: &'t Tree) -> &'t [(String, Tree)] {
        self.is_doubled |= tree.has_any_twice();
        if tree.members().is_none() && *tree != Tree::Null {
            self.totals.count_note(Rule::WrongType, "body");
        }
        tree.members().unwrap_or_default()
    }

    fn metric(&mut self, section: &str, metric: &str, value: &Tree) {
        let labelled = [
            "boolean",
            "counter",
            "quantity",
            "string",
            "timing_distribution",
            "memory_distribution",
            "custom_distribution",
        ];
        let plain = ["string_list", "url", "datetime", "timespan", "rate"];
        let base = section
            .strip_prefix("labeled_")
            .filter(|base| labelled.contains(base));
        if let Some(base) = base {
            let Some(labels) = self.labels(metric, value) else {
                return;
            };
            for (number, (label, value)) in labels.iter().enumerate() {
                let counted = self.label(metric, &[label], label, number);
                self.value(base, metric, Some(counted), value);
            }
        } else if section == "dual_labeled_counter" {
            let Some(keys) = self.labels(metric, value) else {
                return;
            };
            let mut number = 0;
            for (key, value) in keys {
                let Some(categories) = self.labels(metric, value) else {
                    continue;
                };
                for (category, value) in categories {
                    let label = format!("{}/{}", encoded(key), encoded(category));
                    let counted = self.label(metric, &[key, category], &label, number);
                    number += 1;
                    self.value("counter", metric, Some(counted), value);
                }
            }
        } else if labelled.contains(&section) || plain.contains(&section) {
            self.value(section, metric, None, value);
        } else {
            *self.totals.stored.entry(metric.to_owned()).or_default() += 1;
        }
    }

    fn labels<'t>(&mut self, metric: &str, value: &'t Tree) -> Option<&'t [(String, Tree)]> {
        self.is_doubled |= value.has_any_twice();
        if value.members().is_none() {
            self.totals.count_note(Rule::WrongType, metric);
        }
        value.members()
    }

    fn label(&mut self, metric: &str, sides: &[&String], label: &str, before: usize) -> String {
        let is_long = |side: &&String| side.chars().count() > limits::LABEL_CHARACTERS_MAX;
        let rule = if sides.iter().any(is_long) {
            Rule::LabelTooLong
        } else if before >= limits::LABELS_PER_METRIC_MAX {
            Rule::TooManyLabels
        } else if label.is_empty() {
            Rule::NoLabel
        } else {
            return label.to_owned();
        };
        self.totals.count_note(rule, metric);
        OTHER.to_owned()
    }

    fn value(&mut self, base: &str, metric: &str, label: Option<String>, value: &Tree) {
        match meaning(self, base, metric, value) {
            Ok(Meaning::Nothing) => {}
            Ok(Meaning::Numbers(numbers)) => {
                for (suffix, number) in numbers {
                    if self.values >= limits::VALUES_PER_PING_MAX {
                        self.totals.count_note(Rule::TooManyMetrics, metric);
                        return;
                    }
                    self.number(format!("{metric}{suffix}"), label.clone(), number);
                }
            }
            Ok(Meaning::Names(names)) => self.names(metric, &label, names),
            Ok(Meaning::Samples { layout, sum, bins }) => {
                if self.values >= limits::VALUES_PER_PING_MAX {
                    self.totals.count_note(Rule::TooManyMetrics, metric);
                    return;
                }
                self.add(metric.to_owned(), label, Kind::Distribution, layout, sum, bins);
            }
            Err(rule) => self.totals.count_note(rule, metric),
        }
    }

    fn names(&mut self, metric: &str, label: &Option<String>, names: Vec<String>) {
        let mut here: Vec<String> = Vec::new();
        for name in names {
            if self.values >= limits::VALUES_PER_PING_MAX {
                self.totals.count_note(Rule::TooManyMetrics, metric);
                continue;
            }
            let is_long = name.len() > limits::STRING_BYTES_MAX;
            if is_long {
                self.totals.count_note(Rule::TextTooLong, metric);
            }
            let name = if is_long { OTHER.to_owned() } else { name };
            if !here.contains(&name) {
                here.push(name.clone());
                self.values += 1;
            }
            let key = (metric.to_owned(), label.clone());
            let values = self.totals.categories.entry(key).or_default();
            *values.entry(name).or_default() += 1;
        }
    }

    pub(super) fn number(&mut self, metric: String, label: Option<String>, number: i64) {
        let bins = vec![(Layout::NUMBER.bin_of(number), 1)];
        self.add(metric, label, Kind::Number, Layout::NUMBER, number, bins);
    }

    fn add(
        &mut self,
        metric: String,
        label: Option<String>,
        kind: Kind,
        layout: Layout,
        sum: i64,
        bins: Vec<(i64, i64)>,
    ) {
        self.values += 1;
        let sums = self.totals.cells.entry((metric.clone(), label, layout));
        let sums = sums.or_insert_with(|| Sums {
            kind,
            pings: 1,
            sum: 0,
            bins: BTreeMap::new(),
        });
        let total = sums.sum + i128::from(sum);
        if i64::try_from(total).is_err() {
            self.totals.count_note(Rule::NumberTooLarge, metric);
            return;
        }
        sums.sum = total;
        sums.kind = sums.kind.min(kind);
        for (bound, samples) in bins {
            *sums.bins.entry(bound).or_default() += i128::from(samples);
        }
    }
}

fn encoded(side: &str) -> String {
    side.replace('%', "%25").replace('/', "%2F")
}
