//! Rows of an answer from the sums of cells: markers count pings, labels are added unless they are grouped by, and the values
//! of categories become bins with names. Pure.

use std::collections::{BTreeMap, HashMap};

use aggregate_store::{SeriesRow, Source};
use ping::UNKNOWN;
use sketch::{Cell, Layout};

use super::form::{Edges, Form, is_marker};
use super::question::By;
use super::sampled::Sampled;
use crate::parameters::decode;

/// The labels that are asked for; `None` is all.
pub(crate) type Labels = Option<Vec<String>>;

/// One group and layout.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// The values that are grouped by.
    pub(crate) group: Vec<String>,
    pub(crate) layout: Layout,
    pub(crate) form: Form,
    /// How many pings contributed, or at least that many.
    pub(crate) pings: i64,
    /// Whether pings are only those of the most frequent label: nothing counts what several labels have in common.
    pub(crate) at_least: bool,
    pub(crate) sum: i128,
    pub(crate) bins: Bins,
    /// At which rates sessions were sampled, where events were thinned.
    pub(crate) sampled: Option<Sampled>,
}

/// How samples are spread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bins {
    /// By the lower bounds of bins, ascending.
    Bounds(Vec<(i64, i128)>),
    /// By names, the largest first.
    Names(Vec<(String, i128)>),
}

impl Row {
    /// How many values there are.
    pub(crate) fn samples(&self) -> i128 {
        match &self.bins {
            Bins::Bounds(bins) => bins.iter().map(|(_, samples)| samples).sum(),
            Bins::Names(bins) => bins.iter().map(|(_, samples)| samples).sum(),
        }
    }

    /// The bounds of the bins from the first with samples to the last, and where that one ends; `None` where they are not known.
    pub(crate) fn edges<'a>(&self, edges: &'a Edges) -> Option<(&'a [i64], Option<i64>)> {
        let Bins::Bounds(bins) = &self.bins else {
            return None;
        };
        let (first, last) = (bins.first()?.0, bins.last()?.0);
        Some(edges.edges_between(first, last)).filter(|(bounds, _)| !bounds.is_empty())
    }
}

/// The sum of the cells of one group and layout.
#[derive(Debug, Default)]
struct Sum {
    cell: Cell,
    /// Pings by label.
    labels: BTreeMap<String, i64>,
    /// Samples by the value of a category.
    names: BTreeMap<String, i128>,
}

/// The rows, ascending by group and layout.
pub(crate) fn grouped(source: &Source, rows: Vec<SeriesRow>, by: &[By], labels: &Labels) -> Vec<Row> {
    let mut markers: HashMap<Vec<String>, i64> = HashMap::new();
    let mut groups: BTreeMap<Vec<String>, BTreeMap<Layout, Sum>> = BTreeMap::new();
    for row in rows {
        if is_marker(&row.label, &row.layout) {
            *markers.entry(group_of(&row, by, None)).or_default() += row.cell.count();
            continue;
        }
        let (label, value) = match Form::of(source, &row.layout) {
            Form::Category => parted(&row.label),
            _ => (row.label.clone(), None),
        };
        if labels.as_ref().is_some_and(|wanted| !wanted.contains(&label)) {
            continue;
        }
        let layouts = groups.entry(group_of(&row, by, Some(&label))).or_default();
        let sum = layouts.entry(row.layout).or_default();
        *sum.labels.entry(label).or_default() += row.cell.count();
        if let Some(value) = value {
            let times: i128 = row.cell.bins().iter().map(|(_, times)| times).sum();
            *sum.names.entry(value).or_default() += times;
        }
        match sum.cell.is_zero() {
            true => sum.cell = row.cell,
            false => sum.cell.add(&row.cell),
        }
    }
    let is_all_labels = labels.is_none() && !by.contains(&By::Label);
    let mut found = Vec::new();
    for (group, layouts) in groups {
        let marker = match markers.is_empty() {
            true => None,
            false => markers.get(&without_label(&group, by)).copied(),
        };
        let is_alone = layouts.len() == 1;
        for (layout, sum) in layouts {
            let form = Form::of(source, &layout);
            let (pings, at_least) = pings(&sum, form, marker, is_all_labels && is_alone);
            let of_all = sum.cell.sum();
            let bins = match form {
                Form::Category => Bins::Names(largest_first(sum.names)),
                _ => Bins::Bounds(sum.cell.into_bins()),
            };
            found.push(Row {
                group: group.clone(),
                layout,
                form,
                pings,
                at_least,
                sum: of_all,
                bins,
                sampled: None,
            });
        }
    }
    found
}

/// Notes at each row at which rates the sessions of its group were sampled.
pub(crate) fn note_rates(rows: &mut [Row], rates: &[Row]) {
    let by_group: HashMap<&[String], &Row> = rates.iter().map(|rates| (&*rates.group, rates)).collect();
    for row in rows {
        let Some(rates) = by_group.get(&*row.group) else {
            continue;
        };
        if let Bins::Names(names) = &rates.bins {
            let sent = names.iter().filter(|(_, pings)| *pings > 0);
            row.sampled = Sampled::of(sent.map(|(rate, _)| rate.as_str()), rates.pings < row.pings);
        }
    }
}

/// How many pings contributed, and whether that is only a lower bound.
fn pings(sum: &Sum, form: Form, marker: Option<i64>, of_all_labels: bool) -> (i64, bool) {
    if let Some(marker) = marker.filter(|_| of_all_labels) {
        return (marker, false);
    }
    match (form, marker) {
        // Values without a key: whatever is asked, these are all cells of the metric.
        (Form::Category, Some(marker)) if sum.labels.keys().all(String::is_empty) => (marker, false),
        // One ping may have several values under a key.
        (Form::Category, Some(marker)) => {
            (sum.labels.values().sum::<i64>().min(marker), sum.labels.len() > 1)
        }
        _ => (
            sum.labels.values().copied().max().unwrap_or(0),
            sum.labels.len() > 1,
        ),
    }
}

/// The values that are grouped by; a process that is not stated is unknown. Of a marker, which has no label, the place of the label is left out.
fn group_of(row: &SeriesRow, by: &[By], label: Option<&str>) -> Vec<String> {
    let dimensions = by.iter().filter(|by| matches!(by, By::Dimension(_))).count();
    let mut stated = row.group.iter().take(dimensions).cloned();
    let process = row.group.get(dimensions).filter(|process| !process.is_empty());
    let values = by.iter().filter_map(|by| match by {
        By::Dimension(_) => stated.next(),
        By::Process => Some(process.map_or(UNKNOWN, String::as_str).to_owned()),
        By::Label => label.map(str::to_owned),
    });
    values.collect()
}

fn without_label(group: &[String], by: &[By]) -> Vec<String> {
    let values = group.iter().zip(by).filter(|(_, by)| **by != By::Label);
    values.map(|(value, _)| value.clone()).collect()
}

/// Key and value of a category's cell; in the key `%` and `=` are encoded.
fn parted(label: &str) -> (String, Option<String>) {
    match label.split_once('=') {
        Some((key, value)) => (decode(key), Some(value.to_owned())),
        None => (label.to_owned(), None),
    }
}

fn largest_first(names: BTreeMap<String, i128>) -> Vec<(String, i128)> {
    let mut names: Vec<(String, i128)> = names.into_iter().collect();
    // Stable: equals stay ascending by name.
    names.sort_by_key(|(_, samples)| std::cmp::Reverse(*samples));
    names
}
