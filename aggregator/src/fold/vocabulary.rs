//! The names met in one batch, interned: metrics, labels, processes, layouts, and the keys as sent that lead to them.
//!
//! A key is looked up once by its text; what it becomes (upper case, prefixes) is remembered. A stamp per key tells
//! whether it stood in the same object before, so that repeated keys are found without a set per object. How a text
//! becomes an id is in `names`.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use sketch::Layout;

use super::ids::IdMap;
use super::names::{Keys, Names, Order};
use super::parse::Headers;

/// The process of pings that know none.
pub(super) const NO_PROCESS: &str = "";

/// The id of the empty label.
pub(super) const NO_LABEL: u32 = 0;

/// All names of one batch.
#[derive(Debug)]
pub(super) struct Vocabulary {
    pub(super) metrics: Names,
    pub(super) labels: Names,
    pub(super) processes: Names,
    pub(super) histogram_keys: Keys,
    pub(super) scalar_keys: Keys,
    pub(super) simple_keys: Keys,
    /// Labels, and the inner names of simple measurements.
    pub(super) inner_keys: Keys,
    pub(super) process_keys: Keys,
    nested_simple: IdMap<(u32, u32), u32>,
    /// What histograms state before their bins, by the ids of `histogram_keys`.
    pub(super) headers: Headers,
    layout_ids: HashMap<Layout, u32, RandomState>,
    layouts: Vec<Layout>,
    /// The layout that was asked for last: the next is the same, mostly.
    last_layout: u32,
    /// In which order readers tell metrics, and labels.
    told: [Order; 2],
    /// By metric: the ping that counts for it, by its serial.
    counted: Vec<u64>,
    serial: u64,
    scratch: String,
}

impl Vocabulary {
    pub(super) fn new() -> Self {
        let mut vocabulary = Self {
            metrics: Names::default(),
            labels: Names::default(),
            processes: Names::default(),
            histogram_keys: Keys::default(),
            scalar_keys: Keys::default(),
            simple_keys: Keys::default(),
            inner_keys: Keys::default(),
            process_keys: Keys::default(),
            nested_simple: IdMap::default(),
            headers: Headers::default(),
            layout_ids: HashMap::default(),
            layouts: Vec::new(),
            last_layout: 0,
            told: Default::default(),
            counted: Vec::new(),
            serial: 0,
            scratch: String::new(),
        };
        vocabulary.labels.intern("");
        vocabulary
    }

    /// A number for the next object whose keys are names.
    pub(super) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// The metric of a histogram's key.
    pub(super) fn histogram(&mut self, key: u32) -> u32 {
        let metrics = &mut self.metrics;
        self.histogram_keys.derive(key, 0, |text| metrics.intern(text))
    }

    /// The metric of a histogram of type count.
    pub(super) fn count(&mut self, key: u32) -> u32 {
        let (metrics, scratch) = (&mut self.metrics, &mut self.scratch);
        self.histogram_keys.derive(key, 1, |text| {
            scratch.clear();
            scratch.push_str("[[COUNT]]_");
            scratch.push_str(text);
            metrics.intern(scratch)
        })
    }

    /// The metric of a scalar's key.
    pub(super) fn scalar(&mut self, key: u32) -> u32 {
        let (metrics, scratch) = (&mut self.metrics, &mut self.scratch);
        self.scalar_keys.derive(key, 0, |text| {
            upper(scratch, "SCALARS_", text);
            metrics.intern(scratch)
        })
    }

    /// The metric of a simple measurement's key.
    pub(super) fn simple(&mut self, key: u32) -> u32 {
        let (metrics, scratch) = (&mut self.metrics, &mut self.scratch);
        self.simple_keys.derive(key, 0, |text| {
            upper(scratch, "SIMPLE_MEASURES_", text);
            metrics.intern(scratch)
        })
    }

    /// The metric of a simple measurement one level down.
    pub(super) fn nested_simple(&mut self, outer: u32, inner: u32) -> u32 {
        let outer_metric = self.simple(outer);
        let (metrics, scratch) = (&mut self.metrics, &mut self.scratch);
        let inner_text = self.inner_keys.text(inner);
        *self.nested_simple.entry((outer, inner)).or_insert_with(|| {
            scratch.clear();
            scratch.push_str(metrics.text(outer_metric));
            scratch.push('_');
            scratch.extend(inner_text.chars().flat_map(char::to_uppercase));
            metrics.intern(scratch)
        })
    }

    /// The label of a keyed histogram.
    pub(super) fn label(&mut self, key: u32) -> u32 {
        let labels = &mut self.labels;
        self.inner_keys.derive(key, 0, |text| labels.intern(text))
    }

    /// The label of a keyed scalar.
    pub(super) fn upper_label(&mut self, key: u32) -> u32 {
        let (labels, scratch) = (&mut self.labels, &mut self.scratch);
        self.inner_keys.derive(key, 1, |text| {
            upper(scratch, "", text);
            labels.intern(scratch)
        })
    }

    /// A metric that a reader tells.
    pub(super) fn told_metric(&mut self, text: &str) -> u32 {
        self.told[0].intern(&mut self.metrics, text)
    }

    /// A label that a reader tells.
    pub(super) fn told_label(&mut self, text: &str) -> u32 {
        self.told[1].intern(&mut self.labels, text)
    }

    /// Whether the ping of this serial counts for a metric for the first time.
    pub(super) fn counts_first(&mut self, metric: u32, serial: u64) -> bool {
        let place = metric as usize;
        if place >= self.counted.len() {
            self.counted.resize(place + 1, 0);
        }
        std::mem::replace(&mut self.counted[place], serial) != serial
    }

    pub(super) fn layout(&mut self, layout: Layout) -> u32 {
        if self.layouts.get(self.last_layout as usize) == Some(&layout) {
            return self.last_layout;
        }
        let layouts = &mut self.layouts;
        self.last_layout = *self.layout_ids.entry(layout).or_insert_with(|| {
            layouts.push(layout);
            u32::try_from(layouts.len() - 1).expect("a batch ends long before 2^32 layouts")
        });
        self.last_layout
    }

    pub(super) fn layouts(&self) -> &[Layout] {
        &self.layouts
    }

    /// About how much memory the names take.
    pub(super) fn bytes(&self) -> usize {
        let keys = [
            &self.histogram_keys,
            &self.scalar_keys,
            &self.simple_keys,
            &self.inner_keys,
            &self.process_keys,
        ];
        let keys: usize = keys.iter().map(|keys| keys.bytes()).sum();
        let names = self.metrics.bytes() + self.labels.bytes() + self.processes.bytes();
        let told: usize = self.told.iter().map(Order::bytes).sum();
        let told = told + self.counted.capacity() * size_of::<u64>();
        told + keys + names + self.headers.bytes() + 24 * self.nested_simple.len() + 80 * self.layouts.len()
    }
}

fn upper(scratch: &mut String, prefix: &str, text: &str) {
    scratch.clear();
    scratch.push_str(prefix);
    scratch.extend(text.chars().flat_map(char::to_uppercase));
}
