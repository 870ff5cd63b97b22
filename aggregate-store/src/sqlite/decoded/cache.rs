//! What is kept, of which moment, and for how long. Pure.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::known_texts::KnownTexts;
use super::super::limits::{DECODED_BYTES_MAX, DECODED_METRICS_ASKED_MAX};
use super::{Change, Changes, KnownSets, Stretch};

/// The moment after so many transactions, none being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Moment(u64);

/// What was found of a metric.
#[derive(Clone, Debug)]
pub(in super::super) enum Found {
    /// Its cells, and what was added to them since they were read.
    Kept(Arc<Stretch>, Arc<Vec<Change>>),
    /// They are worth reading: it was asked for before.
    Wanted,
    /// Nothing, and nothing is to be done.
    Nothing,
}

/// What is kept in memory of one database, for its readers; its one writer tells it what changes.
#[derive(Debug, Default)]
pub(in super::super) struct Cache(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Transactions that ended.
    ended: u64,
    /// Whether one may become visible at any time.
    is_writing: bool,
    stretches: HashMap<u32, Kept>,
    sets: HashMap<u32, Arc<KnownSets>>,
    /// Transactions that are told give no id another text, nor take one away.
    texts: Arc<KnownTexts>,
    /// Metrics that were asked for and are not kept; whether they may be.
    asked: HashMap<u32, bool>,
    /// Questions so far.
    questions: u64,
}

#[derive(Debug)]
struct Kept {
    stretch: Arc<Stretch>,
    added: Arc<Vec<Change>>,
    added_bytes: usize,
    /// The question that used it last.
    used: u64,
}

impl Cache {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The moment now; `None` while something is being written.
    pub(in super::super) fn moment(&self) -> Option<Moment> {
        let inner = self.inner();
        (!inner.is_writing).then_some(Moment(inner.ended))
    }

    /// The cells of a metric.
    pub(in super::super) fn stretch(&self, moment: Moment, metric: u32) -> Found {
        let mut inner = self.inner();
        if !inner.is_now(moment) {
            return Found::Nothing;
        }
        inner.questions += 1;
        let used = inner.questions;
        if let Some(kept) = inner.stretches.get_mut(&metric) {
            kept.used = used;
            return Found::Kept(Arc::clone(&kept.stretch), Arc::clone(&kept.added));
        }
        if inner.asked.len() >= DECODED_METRICS_ASKED_MAX {
            inner.asked.clear();
        }
        match inner.asked.get(&metric) {
            Some(true) => Found::Wanted,
            Some(false) => Found::Nothing,
            None => {
                inner.asked.insert(metric, true);
                Found::Nothing
            }
        }
    }

    /// Keeps the cells of a metric as they are at a moment, if that is still the last one; those used longest ago make room.
    pub(in super::super) fn keep_stretch(&self, moment: Moment, metric: u32, stretch: &Arc<Stretch>) {
        let mut inner = self.inner();
        if !inner.is_now(moment) {
            return;
        }
        inner.asked.remove(&metric);
        let used = inner.questions;
        inner.stretches.insert(
            metric,
            Kept {
                stretch: Arc::clone(stretch),
                added: Arc::default(),
                added_bytes: 0,
                used,
            },
        );
        inner.make_room();
    }

    /// Notes that the cells of a metric cannot be kept.
    pub(in super::super) fn refuse(&self, metric: u32) {
        self.inner().asked.insert(metric, false);
    }

    /// The sets of a source.
    pub(in super::super) fn sets(&self, moment: Moment, source: u32) -> Option<Arc<KnownSets>> {
        let inner = self.inner();
        let sets = inner.sets.get(&source).filter(|_| inner.is_now(moment));
        sets.map(Arc::clone)
    }

    /// Keeps the sets of a source as they are at a moment, if that is still the last one.
    pub(in super::super) fn keep_sets(&self, moment: Moment, source: u32, sets: &Arc<KnownSets>) {
        let mut inner = self.inner();
        if inner.is_now(moment) {
            inner.sets.insert(source, Arc::clone(sets));
            inner.make_room();
        }
    }

    /// The texts that are known; none of a moment that is past.
    pub(in super::super) fn texts(&self, moment: Moment) -> Arc<KnownTexts> {
        let inner = self.inner();
        match inner.is_now(moment) {
            true => Arc::clone(&inner.texts),
            false => Arc::default(),
        }
    }

    /// Keeps texts that were read at a moment, if that is still the last one.
    pub(in super::super) fn keep_texts(&self, moment: Moment, texts: &HashMap<i64, Arc<str>>) {
        let mut inner = self.inner();
        if !texts.is_empty() && inner.is_now(moment) {
            Arc::make_mut(&mut inner.texts).add(texts);
            inner.make_room();
        }
    }

    /// The metrics of which the writer notes what it adds.
    pub(in super::super) fn metrics(&self) -> HashSet<u32> {
        self.inner().stretches.keys().copied().collect()
    }

    /// A transaction may become visible from now on.
    pub(in super::super) fn begin(&self) {
        self.inner().is_writing = true;
    }

    /// What was begun has ended, with these changes; without them anything may have changed.
    pub(in super::super) fn end(&self, changes: Option<Changes>) {
        let mut inner = self.inner();
        if !inner.is_writing {
            return;
        }
        match changes {
            Some(changes) => inner.apply(changes),
            None => inner.forget(),
        }
        inner.ended += 1;
        inner.is_writing = false;
    }
}

impl Inner {
    fn is_now(&self, moment: Moment) -> bool {
        !self.is_writing && self.ended == moment.0
    }

    fn forget(&mut self) {
        self.stretches.clear();
        self.sets.clear();
        self.texts = Arc::default();
        self.asked.clear();
    }

    fn apply(&mut self, changes: Changes) {
        let Changes {
            metrics, added, sets, ..
        } = changes;
        for of_metric in added.chunk_by(|a, b| a.0 == b.0) {
            if let Some(kept) = self.stretches.get_mut(&of_metric[0].0) {
                let all = Arc::make_mut(&mut kept.added);
                for (_, change) in of_metric {
                    kept.added_bytes += change.bytes();
                    all.push(change.clone());
                }
            }
        }
        let noted: HashSet<u32> = added.iter().map(|(metric, _)| *metric).collect();
        // What was added to a metric that was not kept yet when the transaction began is not known.
        self.stretches.retain(|metric, kept| {
            (noted.contains(metric) || !metrics.contains(metric)) && kept.is_worth_it()
        });
        for set in sets {
            let Some(known) = self.sets.get_mut(&set.source) else {
                continue;
            };
            if !Arc::make_mut(known).push(&set) {
                self.sets.remove(&set.source);
            }
        }
        self.make_room();
    }

    fn bytes(&self) -> usize {
        let stretches = self
            .stretches
            .values()
            .map(|kept| kept.stretch.bytes() + kept.added_bytes);
        let sets = self.sets.values().map(|sets| sets.bytes());
        stretches.chain(sets).chain([self.texts.bytes()]).sum()
    }

    fn make_room(&mut self) {
        let mut bytes = self.bytes();
        while bytes > DECODED_BYTES_MAX {
            let oldest = self.stretches.iter().min_by_key(|(_, kept)| kept.used);
            let Some(metric) = oldest.map(|(metric, _)| *metric) else {
                self.sets.clear();
                return;
            };
            if let Some(kept) = self.stretches.remove(&metric) {
                bytes = bytes.saturating_sub(kept.stretch.bytes() + kept.added_bytes);
            }
        }
    }
}

impl Kept {
    /// Whether it is less work to add what was added than to read it all anew.
    fn is_worth_it(&self) -> bool {
        self.added.len() <= self.stretch.len() / 2 + 64
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
