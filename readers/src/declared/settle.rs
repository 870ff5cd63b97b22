//! The end of a ping: metrics that may have several values are told, each with its label once.

use std::collections::{BTreeMap, BTreeSet};

use ping::OTHER;

use super::limits::{LABELS_PER_METRIC_MAX, VALUES_PER_METRIC_MAX};
use super::room::{Category, Sample, Span, compare, text};
use super::walk::Walk;
use crate::values::{Contribution, Name, Note, Place, Rule, Subject, Values};

impl<V: Values> Walk<'_, V> {
    /// Tells what was kept, and what nobody stated.
    pub(super) fn settle(&mut self) {
        self.samples_by_label();
        self.categories_by_label();
        for (place, dimension) in (0..).zip(&self.reader.dimensions) {
            if let Some(default) = &dimension.default
                && self.room.stated & (1 << place) == 0
            {
                self.sink.dimension(place, default);
            }
        }
    }

    fn samples_by_label(&mut self) {
        let other = self.room.begin_of(Span::OTHER);
        let (texts, items) = (&self.room.texts, &mut self.room.samples);
        let labels = |a: &Sample, b: &Sample| {
            let begins = a.begin.cmp(&b.begin);
            begins.then_with(|| compare(texts, a.label, b.label))
        };
        let by_label = |items: &mut Vec<Sample>| {
            items.sort_unstable_by(|a, b| {
                let metrics = a.metric.cmp(&b.metric);
                let labels = metrics.then_with(|| labels(a, b));
                labels.then(a.bin.cmp(&b.bin))
            });
        };
        by_label(items);
        let of = |item: &Sample| (item.metric, item.label, item.place);
        let over = over(items, texts, LABELS_PER_METRIC_MAX, of);
        for item in items
            .iter_mut()
            .filter(|item| over.contains(&(item.metric, item.label)))
        {
            (item.label, item.begin) = (Span::OTHER, other);
            self.sink.note(note(Rule::TooManyLabels, item.metric, item.place));
        }
        if !over.is_empty() {
            by_label(items);
        }
        for group in items.chunk_by(|a, b| a.metric == b.metric && labels(a, b).is_eq()) {
            let bins = &mut self.room.bins;
            bins.clear();
            for item in group {
                match bins.last_mut() {
                    Some(last) if last.0 == item.bin => last.1 += item.samples,
                    _ => bins.push((item.bin, item.samples)),
                }
            }
            let first = group[0];
            let listed = &self.reader.metrics()[first.metric as usize];
            let sum: i128 = group
                .iter()
                .map(|item| i128::from(item.value) * i128::from(item.samples))
                .sum();
            match i64::try_from(sum) {
                Ok(sum) => self.sink.contribution(Contribution {
                    metric: Name::Listed(first.metric),
                    label: text(texts, first.label),
                    kind: listed.kind,
                    layout: listed.layout,
                    sum,
                    bins,
                }),
                Err(_) => self
                    .sink
                    .note(note(Rule::NumberTooLarge, first.metric, first.place)),
            }
        }
    }

    fn categories_by_label(&mut self) {
        let (texts, items) = (&self.room.texts, &mut self.room.categories);
        let by_label = |items: &mut Vec<Category>| {
            items.sort_unstable_by(|a, b| {
                let metrics = a.metric.cmp(&b.metric);
                let labels = metrics.then_with(|| compare(texts, a.label, b.label));
                labels.then_with(|| compare(texts, a.value, b.value))
            });
        };
        by_label(items);
        let of = |item: &Category| (item.metric, item.label, item.place);
        let labels = over(items, texts, LABELS_PER_METRIC_MAX, of);
        for item in items
            .iter_mut()
            .filter(|item| labels.contains(&(item.metric, item.label)))
        {
            item.label = Span::OTHER;
            self.sink.note(note(Rule::TooManyLabels, item.metric, item.place));
        }
        if !labels.is_empty() {
            by_label(items);
        }
        let mut changed = false;
        for group in
            items.chunk_by_mut(|a, b| a.metric == b.metric && compare(texts, a.label, b.label).is_eq())
        {
            if group.len() <= VALUES_PER_METRIC_MAX {
                continue;
            }
            let of = |item: &Category| (item.metric, item.value, item.place);
            let values = over(group, texts, VALUES_PER_METRIC_MAX, of);
            for item in group
                .iter_mut()
                .filter(|item| values.contains(&(item.metric, item.value)))
            {
                item.value = Span::OTHER;
                changed = true;
                self.sink.note(note(Rule::TooManyValues, item.metric, item.place));
            }
        }
        if changed {
            by_label(items);
        }
        let alike = |a: &Category, b: &Category| {
            a.metric == b.metric
                && compare(texts, a.label, b.label).is_eq()
                && compare(texts, a.value, b.value).is_eq()
        };
        for group in items.chunk_by(alike) {
            let first = group[0];
            let times = i64::try_from(group.len()).unwrap_or(i64::MAX);
            let value = text(texts, first.value).unwrap_or_default();
            let label = text(texts, first.label);
            self.sink
                .category(Name::Listed(first.metric), label, value, times);
        }
    }
}

/// The labels (or values) beyond the first `most` of their metric, by where in the ping each stands first; by every span of them.
/// The items lie ordered by metric and text. Costs nothing where no metric has so many.
fn over<T>(
    items: &[T],
    texts: &str,
    most: usize,
    of: impl Fn(&T) -> (u32, Span, Span),
) -> BTreeSet<(u32, Span)> {
    let mut found = BTreeSet::new();
    for group in items.chunk_by(|a, b| of(a).0 == of(b).0) {
        if group.len() <= most {
            continue;
        }
        let mut firsts: BTreeMap<&str, u32> = BTreeMap::new();
        for (_, span, place) in group.iter().map(&of) {
            if let Some(text) = text(texts, span).filter(|text| *text != OTHER) {
                let first = firsts.entry(text).or_insert(place.from);
                *first = place.from.min(*first);
            }
        }
        let mut ranked: Vec<(u32, &str)> = firsts.into_iter().map(|(text, from)| (from, text)).collect();
        if ranked.len() <= most {
            continue;
        }
        ranked.sort_unstable();
        let beyond: BTreeSet<&str> = ranked[most..].iter().map(|(_, text)| *text).collect();
        let spans = group.iter().map(&of);
        let beyond =
            spans.filter(|(_, span, _)| text(texts, *span).is_some_and(|text| beyond.contains(text)));
        found.extend(beyond.map(|(metric, span, _)| (metric, span)));
    }
    found
}

fn note(rule: Rule, metric: u32, place: Span) -> Note<'static> {
    Note {
        rule,
        subject: Subject::Metric(Name::Listed(metric)),
        place: Some(Place {
            from: place.from as usize,
            to: place.to as usize,
        }),
    }
}
