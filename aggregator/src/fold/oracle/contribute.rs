//! What histograms and numbers add, met on the walk.

use sketch::Layout;

use super::accept::{accept, bound, number};
use super::totals::Sums;
use super::tree::{Tree, get};
use super::walk::{Contribution, Walk};
use crate::limits::BINS_PER_HISTOGRAM_MAX;

impl Walk {
    pub(super) fn simple_measurements(&mut self, value: &Tree, process: &str) {
        for (outer, value) in self.names(value) {
            let metric = format!("SIMPLE_MEASURES_{}", outer.to_uppercase());
            if let Tree::Object(_) = value {
                for (inner, value) in self.names(&value) {
                    self.simple(&format!("{metric}_{}", inner.to_uppercase()), process, &value);
                }
            } else {
                self.simple(&metric, process, &value);
            }
        }
    }

    fn simple(&mut self, metric: &str, process: &str, value: &Tree) {
        match number(value) {
            Some(Ok(number)) => self.sample(metric, "", process, Layout::SIMPLE, number),
            Some(Err(reason)) => self.refused.push(reason),
            None => {}
        }
    }

    pub(super) fn scalar(&mut self, name: &str, label: &str, process: &str, value: &Tree) {
        if name.starts_with("browser.engagement.navigation") {
            return;
        }
        match number(value) {
            Some(Ok(number)) => {
                let metric = format!("SCALARS_{}", name.to_uppercase());
                self.sample(&metric, label, process, Layout::COUNT, number);
            }
            Some(Err(reason)) => self.refused.push(reason),
            None if matches!(value, Tree::List(_) | Tree::Object(_)) => {
                self.refused.push("number_not_a_number");
            }
            None => {}
        }
    }

    fn sample(&mut self, metric: &str, label: &str, process: &str, layout: Layout, number: i64) {
        let below = layout.lower_bounds().into_iter().filter(|bound| *bound <= number);
        let bound = below.max().unwrap_or(0);
        self.bins += 1;
        self.contributions.push(Contribution {
            metric: metric.to_owned(),
            process: process.to_owned(),
            label: label.to_owned(),
            layout,
            sums: Sums {
                count: 1,
                sum: number.into(),
                bins: [(bound, 1)].into(),
            },
        });
    }

    pub(super) fn histogram(&mut self, name: &str, label: &str, process: &str, value: &Tree) {
        let Tree::Object(histogram) = value else {
            self.refused.push("histogram_not_an_object");
            return;
        };
        self.once(
            histogram,
            &["histogram_type", "sum", "bucket_count", "range", "values"],
        );
        if let Some(Tree::Object(values)) = get(histogram, "values") {
            let read: Vec<_> = values.iter().take(BINS_PER_HISTOGRAM_MAX).cloned().collect();
            let integers: Vec<_> = read
                .into_iter()
                .filter(|(key, _)| bound(&key.text).is_some())
                .collect();
            self.once(&integers, &[]);
        }
        match accept(histogram) {
            Err(reason) => self.refused.push(reason),
            Ok(accepted) => {
                self.refused.extend(accepted.odd);
                if accepted.layout.is_none() {
                    let sum = i64::try_from(accepted.sums.sum).expect("checked");
                    self.sample(&format!("[[COUNT]]_{name}"), label, process, Layout::COUNT, sum);
                    return;
                }
                self.bins += accepted.sums.bins.len();
                self.contributions.push(Contribution {
                    metric: name.to_owned(),
                    process: process.to_owned(),
                    label: label.to_owned(),
                    layout: accepted.layout.expect("not a count"),
                    sums: accepted.sums,
                });
            }
        }
    }
}
