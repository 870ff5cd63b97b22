//! What a ping counts, staged until its end: a metric and label that come from two places (two sections, two labels that
//! both became `OTHER`) are told as one.

use std::hash::{BuildHasher, Hash, Hasher};
use std::ops::Range;

use foldhash::fast::FixedState;
use sketch::Layout;

use super::arena::{Arena, Span};
use crate::values::{Contribution, Kind, Name, Note, Rule, Subject, Values};

/// What one place of a ping counts.
#[derive(Clone, Debug)]
struct Entry {
    metric: Span,
    label: Option<Span>,
    what: What,
    /// Whether it is the first value of its place: a list of strings has several.
    leads: bool,
}

#[derive(Clone, Debug)]
enum What {
    Samples {
        kind: Kind,
        layout: Layout,
        sum: i64,
        bins: Range<usize>,
    },
    Value {
        value: Span,
        times: i64,
    },
}

impl What {
    /// Entries of two of these are two cells.
    const fn layout(&self) -> Layout {
        match self {
            Self::Samples { layout, .. } => *layout,
            Self::Value { .. } => Layout::CATEGORIES,
        }
    }
}

/// All that a ping counts.
#[derive(Debug, Default)]
pub(super) struct Staged {
    entries: Vec<Entry>,
    bins: Vec<(i64, i64)>,
    hashes: Vec<u64>,
    may_meet: bool,
}

impl Staged {
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.bins.clear();
        self.may_meet = false;
    }

    /// Notes that two places may count under one metric and label. Of others than those that are noted none do: a metric whose
    /// name comes once, and its labels, which come once each, are places of their own.
    pub(super) const fn may_meet(&mut self) {
        self.may_meet = true;
    }

    /// For how many values, or bins, there is room: the larger number.
    pub(super) fn capacity(&self) -> usize {
        self.entries.capacity().max(self.bins.capacity())
    }

    /// How many values are staged.
    pub(super) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Where a distribution's bins are gathered before it is staged or given up.
    pub(super) const fn bins(&mut self) -> &mut Vec<(i64, i64)> {
        &mut self.bins
    }

    /// Stages the bins gathered since there were `from`.
    pub(super) fn distribution(
        &mut self,
        metric: Span,
        label: Option<Span>,
        layout: Layout,
        sum: i64,
        from: usize,
    ) {
        let bins = from..self.bins.len();
        self.samples(metric, label, Kind::Distribution, layout, sum, bins);
    }

    /// Stages a number as one sample.
    pub(super) fn number(&mut self, metric: Span, label: Option<Span>, number: i64) {
        let from = self.bins.len();
        self.bins.push((Layout::NUMBER.bin_of(number), 1));
        let bins = from..from + 1;
        self.samples(metric, label, Kind::Number, Layout::NUMBER, number, bins);
    }

    fn samples(
        &mut self,
        metric: Span,
        label: Option<Span>,
        kind: Kind,
        layout: Layout,
        sum: i64,
        bins: Range<usize>,
    ) {
        let what = What::Samples {
            kind,
            layout,
            sum,
            bins,
        };
        self.entries.push(Entry {
            metric,
            label,
            what,
            leads: true,
        });
    }

    /// Stages a value that counts by its name. `first` is how many were staged when its place began: the same value of the
    /// same place counts once more.
    pub(super) fn value(
        &mut self,
        metric: Span,
        label: Option<Span>,
        value: &str,
        first: usize,
        arena: &mut Arena,
    ) {
        for entry in &mut self.entries[first..] {
            if let What::Value { value: known, times } = &mut entry.what
                && arena.get(*known) == value
            {
                *times += 1;
                return;
            }
        }
        let leads = self.entries.len() == first;
        let what = What::Value {
            value: arena.push(value),
            times: 1,
        };
        self.entries.push(Entry {
            metric,
            label,
            what,
            leads,
        });
    }

    /// Tells all of it: each metric, label and layout once, all values of a metric and label one after the other.
    pub(super) fn tell<S: Values>(&mut self, arena: &Arena, sink: &mut S) {
        if self.may_meet && self.do_meet(arena) {
            self.unite(arena, sink);
        }
        for Entry {
            metric, label, what, ..
        } in &self.entries
        {
            let metric = Name::Sent(arena.get(*metric));
            let label = label.map(|label| arena.get(label));
            match what {
                What::Samples {
                    kind,
                    layout,
                    sum,
                    bins,
                } => sink.contribution(Contribution {
                    metric,
                    label,
                    kind: *kind,
                    layout: *layout,
                    sum: *sum,
                    bins: &self.bins[bins.clone()],
                }),
                What::Value { value, times } => sink.category(metric, label, arena.get(*value), *times),
            }
        }
    }

    /// Whether two places count under one metric and label: never false when two do.
    fn do_meet(&mut self, arena: &Arena) -> bool {
        self.hashes.clear();
        for entry in self.entries.iter().filter(|entry| entry.leads) {
            let mut hasher = FixedState::default().build_hasher();
            arena.get(entry.metric).hash(&mut hasher);
            entry.label.map(|label| arena.get(label)).hash(&mut hasher);
            entry.what.layout().hash(&mut hasher);
            self.hashes.push(hasher.finish());
        }
        self.hashes.sort_unstable();
        self.hashes.windows(2).any(|pair| pair[0] == pair[1])
    }

    /// Makes one entry of those under one metric, label, layout and value. A sum that leaves 63 bits leaves out the later.
    fn unite<S: Values>(&mut self, arena: &Arena, sink: &mut S) {
        let mut entries = std::mem::take(&mut self.entries);
        let text = |span: Span| arena.get(span);
        let value = |what: &What| match what {
            What::Samples { .. } => None,
            What::Value { value, .. } => Some(text(*value)),
        };
        let key = |entry: &Entry| {
            let (metric, label) = (text(entry.metric), entry.label.map(text));
            (metric, label, entry.what.layout(), value(&entry.what))
        };
        entries.sort_by(|a, b| key(a).cmp(&key(b)));
        for entry in entries {
            let last = self.entries.last_mut().filter(|last| key(last) == key(&entry));
            let Some(last) = last else {
                self.entries.push(entry);
                continue;
            };
            if !last.what.add(&entry.what, &mut self.bins) {
                sink.note(Note {
                    rule: Rule::NumberTooLarge,
                    subject: Subject::Metric(Name::Sent(text(entry.metric))),
                    place: None,
                });
            }
        }
    }
}

impl What {
    /// Adds what another place counts under the same key. False, and nothing added, when the sum leaves 63 bits.
    fn add(&mut self, other: &Self, all: &mut Vec<(i64, i64)>) -> bool {
        match (self, other) {
            (
                Self::Samples { kind, sum, bins, .. },
                Self::Samples {
                    kind: other_kind,
                    sum: more,
                    bins: more_bins,
                    ..
                },
            ) => {
                let Some(total) = sum.checked_add(*more) else {
                    return false;
                };
                *sum = total;
                // One that has numbers and a distribution is shown as the latter.
                *kind = (*kind).min(*other_kind);
                // Bins that are the last ones grow where they are: thousands may meet.
                if bins.end != all.len() {
                    let from = all.len();
                    all.extend_from_within(bins.clone());
                    *bins = from..all.len();
                }
                all.extend_from_within(more_bins.clone());
                bins.end = all.len();
                true
            }
            (Self::Value { times, .. }, Self::Value { times: more, .. }) => {
                *times += more;
                true
            }
            // Their layouts differ, so their keys do.
            _ => false,
        }
    }
}
