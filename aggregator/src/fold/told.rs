//! What a reader of [`readers`] tells of a ping, taken up into the stage: the sink of the fold.
//!
//! How it is kept (decision 0041): a labelled metric's key is the label. A category's value is in the label, too, behind the key
//! and `=`. Both have a cell without label beside them, which counts the pings that have any. A number's layout is told from
//! a distribution's ([`Layout::of_numbers`]). The rates at which sessions were sampled are categories of a metric of their own, which
//! only pings have whose events were thinned. A dimension that is a list is one text: its items ascending, a comma between them.

use aggregate_store::{Dimension, LIST_SEPARATOR};
use ping::OTHER;
use readers::values::beside::{LEFT_OUT, LEFT_OUT_A_PING_MAX, PINGS, SAMPLED, STORED, write_left_out};
use readers::values::{Contribution as Told, Kind, Name, Note, Rates, Rule, Subject, Values};
use sketch::Layout;

use super::category::write_label;
use super::staged::{Contribution, Stage};
use super::vocabulary::{NO_LABEL, NO_PROCESS};
use crate::limits::DIMENSION_BYTES_MAX;

/// Of what belongs to no name in a ping, and of the client's id, as subjects of what is left out.
const BODY: &str = "body";
const CLIENT: &str = "client_id";

/// The sink of one ping.
#[derive(Debug)]
pub(super) struct ToldPing<'a> {
    stage: &'a mut Stage,
    /// The names of metrics, by the places in which the reader tells them.
    names: &'a [String],
    process: u32,
    serial: u64,
    label: String,
    value: String,
    /// The labels under which something that is left out was kept.
    left_out: Vec<u32>,
}

impl<'a> ToldPing<'a> {
    pub(super) fn new(stage: &'a mut Stage, names: &'a [String]) -> Self {
        let process = stage.vocabulary.processes.intern(NO_PROCESS);
        let serial = stage.vocabulary.next_serial();
        Self {
            stage,
            names,
            process,
            serial,
            label: String::new(),
            value: String::new(),
            left_out: Vec::new(),
        }
    }

    /// Counts the ping itself, whatever it tells.
    pub(super) fn count_itself(&mut self) {
        let metric = self.stage.vocabulary.told_metric(PINGS);
        self.count_ping(metric);
    }

    /// Keeps of what something is left out, and by which rule; each once a ping.
    fn keep_left_out(&mut self, subject: Subject<'_>, rule: Rule) {
        if self.left_out.len() == LEFT_OUT_A_PING_MAX {
            return;
        }
        let dimensions = self.stage.dimension_names();
        let subject = match subject {
            Subject::Client => Some(CLIENT),
            Subject::Body => Some(BODY),
            Subject::Dimension(place) => dimensions.get(place as usize).map(Dimension::as_str),
            Subject::Metric(Name::Sent(name)) if name.len() > DIMENSION_BYTES_MAX => Some(OTHER),
            Subject::Metric(name) => text_of(self.names, name),
        };
        let Some(subject) = subject else { return };
        write_left_out(&mut self.value, subject, rule.word());
        write_label(&mut self.label, "", &self.value);
        let label = self.stage.vocabulary.told_label(&self.label);
        if self.left_out.contains(&label) {
            return;
        }
        self.left_out.push(label);
        let metric = self.stage.vocabulary.told_metric(LEFT_OUT);
        self.count_ping(metric);
        self.push(metric, label, Layout::CATEGORIES, 0, &[(0, 1)]);
    }

    /// A metric; none where its reader has no such place.
    fn metric(&mut self, name: Name<'_>) -> Option<u32> {
        let text = text_of(self.names, name)?;
        Some(self.stage.vocabulary.told_metric(text))
    }

    /// Counts the ping for a metric whose other cells have labels.
    fn count_ping(&mut self, metric: u32) {
        if self.stage.vocabulary.counts_first(metric, self.serial) {
            self.push(metric, NO_LABEL, Layout::CATEGORIES, 0, &[]);
        }
    }

    fn push(&mut self, metric: u32, label: u32, layout: Layout, sum: i64, bins: &[(i64, i64)]) {
        let first_bin = self.stage.bins.len();
        self.stage.bins.extend_from_slice(bins);
        let layout = self.stage.vocabulary.layout(layout);
        self.stage.push(Contribution {
            metric,
            process: self.process,
            label,
            layout,
            sum,
            first_bin,
        });
    }
}

impl Values for ToldPing<'_> {
    fn client(&mut self, sent: &str) {
        self.stage.note_client(sent);
    }

    fn dimension(&mut self, dimension: u32, value: &str) {
        if let Some(place) = self.stage.dimensions.at(dimension as usize) {
            place.clear();
            place.push_str(value);
        }
    }

    fn listed(&mut self, dimension: u32, value: &str) {
        if let Some(place) = self.stage.dimensions.at(dimension as usize) {
            put_item(place, value);
        }
    }

    fn contribution(&mut self, told: Told<'_>) {
        let Some(metric) = self.metric(told.metric) else {
            return;
        };
        let label = match told.label {
            None => NO_LABEL,
            Some(key) => {
                self.count_ping(metric);
                self.stage.vocabulary.told_label(key)
            }
        };
        let layout = match told.kind {
            Kind::Number => told.layout.of_numbers(),
            Kind::Distribution | Kind::Category => told.layout,
        };
        self.push(metric, label, layout, told.sum, told.bins);
    }

    fn category(&mut self, metric: Name<'_>, label: Option<&str>, value: &str, times: i64) {
        let Some(metric) = self.metric(metric) else { return };
        self.count_ping(metric);
        write_label(&mut self.label, label.unwrap_or_default(), value);
        let label = self.stage.vocabulary.told_label(&self.label);
        self.push(metric, label, Layout::CATEGORIES, 0, &[(0, times)]);
    }

    fn sampled(&mut self, metric: Name<'_>, rates: Rates) {
        let (Name::Sent(of), true) = (metric, rates.lowest < 1.0) else {
            return;
        };
        let name = format!("{SAMPLED}{of}");
        let both = [rates.lowest, rates.highest];
        let different = if rates.lowest < rates.highest {
            &both[..]
        } else {
            &both[..1]
        };
        for rate in different {
            self.category(Name::Sent(&name), None, &rate.to_string(), 1);
        }
    }

    fn note(&mut self, note: Note<'_>) {
        self.stage.refused.note_rule(note.rule, 1);
        self.keep_left_out(note.subject, note.rule);
    }

    fn stored(&mut self, metric: Name<'_>) {
        let Some(name) = text_of(self.names, metric) else {
            return;
        };
        self.value.clear();
        self.value.push_str(STORED);
        self.value.push_str(name);
        let metric = self.stage.vocabulary.told_metric(&self.value);
        self.count_ping(metric);
    }
}

/// The text of a metric's name; none where its reader has no such place.
fn text_of<'a>(names: &'a [String], name: Name<'a>) -> Option<&'a str> {
    match name {
        Name::Sent(text) => Some(text),
        Name::Listed(place) => names.get(place as usize).map(String::as_str),
    }
}

/// Puts an item into a list that is kept as a text: each item once, ascending, so that a list in any order is one value.
fn put_item(list: &mut String, item: &str) {
    let mut items: Vec<&str> = list
        .split(LIST_SEPARATOR)
        .filter(|item| !item.is_empty())
        .collect();
    if let Err(at) = items.binary_search(&item) {
        items.insert(at, item);
        *list = items.join(LIST_SEPARATOR);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_one_value_in_whatever_order_its_items_come() {
        for order in [
            ["nightly-lab", "automation", "ci"],
            ["ci", "nightly-lab", "automation"],
        ] {
            let mut list = String::new();
            for item in order.into_iter().chain(["ci"]) {
                put_item(&mut list, item);
            }
            assert_eq!(list, "automation,ci,nightly-lab");
        }
    }
}
