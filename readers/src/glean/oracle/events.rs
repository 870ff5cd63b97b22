//! `events`, by name.

use std::collections::BTreeMap;

use super::slow::Slow;
use super::tree::Tree;
use crate::glean::limits;
use crate::values::Rule;

impl Slow<'_> {
    pub(super) fn events(&mut self, events: &Tree) {
        let Tree::List(events) = events else {
            if *events != Tree::Null {
                self.totals.count_note(Rule::WrongType, "body");
            }
            return;
        };
        let mut counted: BTreeMap<String, (i64, Vec<f64>)> = BTreeMap::new();
        let mut taken = 0;
        for event in events {
            self.is_doubled |= event.has_twice(&["category", "name", "session"]);
            let session = event.get("session").unwrap_or(&Tree::Null);
            self.is_doubled |= session.has_twice(&["session_sample_rate"]);
            let (Some(Tree::Text(category)), Some(Tree::Text(name))) =
                (event.get("category"), event.get("name"))
            else {
                self.totals.count_note(Rule::WrongType, "body");
                continue;
            };
            if taken >= limits::VALUES_PER_PING_MAX {
                self.totals.count_note(Rule::TooManyMetrics, "body");
                continue;
            }
            let event = format!("{category}.{name}");
            if event.len() > limits::NAME_BYTES_MAX {
                self.totals.count_note(Rule::NameTooLong, "body");
                continue;
            }
            taken += 1;
            let metric = format!("events:{event}");
            let rate = match session.get("session_sample_rate") {
                Some(Tree::Number(rate)) => Some(rate.as_f64().unwrap_or(f64::NAN)),
                Some(Tree::Null) => None,
                Some(_) => Some(f64::NAN),
                None if session.members().is_some() || *session == Tree::Null => None,
                None => Some(f64::NAN),
            };
            let is_rate = rate.is_none_or(|rate| rate > 0.0 && rate <= 1.0);
            if !is_rate {
                self.totals.count_note(Rule::WrongType, metric.clone());
            }
            let (times, rates) = counted.entry(metric).or_default();
            *times += 1;
            rates.extend(rate.filter(|_| is_rate));
        }
        for (metric, (times, mut rates)) in counted {
            rates.sort_by(f64::total_cmp);
            if let (Some(lowest), Some(highest)) = (rates.first(), rates.last()) {
                let bits = (lowest.to_bits(), highest.to_bits());
                self.totals.sampled.insert(metric.clone(), bits);
            }
            if self.values >= limits::VALUES_PER_PING_MAX {
                self.totals.count_note(Rule::TooManyMetrics, metric);
                continue;
            }
            self.number(metric, None, times);
        }
    }
}
