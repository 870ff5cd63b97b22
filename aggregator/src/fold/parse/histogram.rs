//! One histogram: what it must be to count, and under which layout. And `histograms`, which holds the plain ones.

use readers::json::{Cursor, Fields, JsonError, Key, Leaf, Once};
use sketch::{HistogramKind, Layout};

use super::admission::admit;
use super::bins::{Bins, Range, Values};
use super::header::Header;
use super::section::not_an_object;
use crate::fold::ping_error::PingError;
use crate::fold::refusal::Refusal;
use crate::fold::staged::{Contribution, Stage};
use crate::fold::vocabulary::{NO_LABEL, Vocabulary};
use crate::limits::RANGE_MAX;

/// The keys that are read; the position is the number for [`Once`].
const KEYS: [&str; 5] = ["histogram_type", "sum", "bucket_count", "range", "values"];
/// Those of them that a [`Header`] holds: all but the sum.
const HEADER_KEYS: [usize; 4] = [0, 2, 3, 4];

/// What is known of a histogram so far. Its bins are the last of the stage's.
pub(super) struct Histogram<'a> {
    key: u32,
    label: u32,
    process: u32,
    stage: &'a mut Stage,
    once: Once,
    first_bin: usize,
    /// Where its text begins, as long as it may become a [`Header`].
    start: Option<usize>,
    kind: Option<Leaf>,
    sum: Option<Leaf>,
    range: Option<(i64, i64)>,
    bin_count: Option<Leaf>,
    values: Option<Values>,
}

impl<'a> Histogram<'a> {
    /// A histogram under this key and label, of which nothing is known yet.
    pub(super) fn new(key: u32, label: u32, process: u32, stage: &'a mut Stage) -> Self {
        Self {
            key,
            label,
            process,
            once: Once::default(),
            first_bin: stage.bins.len(),
            start: None,
            kind: None,
            sum: None,
            range: None,
            bin_count: None,
            values: None,
            stage,
        }
    }

    /// Reads it, or whatever stands in its place.
    pub(super) fn read(mut self, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        if !json.enter_object()? {
            return json.value(self);
        }
        if json.closes(b'}')? {
            self.end();
            return Ok(());
        }
        if self.pass_header(json) {
            self.read_bins(json)?;
            if json.goes_on(b'}')? {
                json.members(&mut self)?;
            }
        } else {
            self.start = Some(json.at());
            json.members(&mut self)?;
        }
        self.end();
        Ok(())
    }

    /// Passes what stands before the bins if it is what this metric stated the last time.
    fn pass_header(&mut self, json: &mut Cursor<'_>) -> bool {
        let header = self.stage.vocabulary.headers.get(self.key);
        let Some(header) = header.filter(|header| json.pass(&header.text)) else {
            return false;
        };
        self.kind = Some(Leaf::Whole(header.kind));
        self.range = Some(header.range);
        self.bin_count = Some(Leaf::Whole(header.bin_count));
        self.once = Once::of(&HEADER_KEYS);
        true
    }

    /// Remembers what stands before the bins, if it is a [`Header`].
    fn keep_header(&mut self, start: usize, json: &Cursor<'_>) {
        if self.once != Once::of(&HEADER_KEYS) || self.stage.error.is_some() {
            return;
        }
        if let Some(header) = Header::of(json.since(start), self.kind, self.range, self.bin_count) {
            self.stage.vocabulary.headers.keep(self.key, header);
        }
    }

    fn read_bins(&mut self, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        self.stage.bins.truncate(self.first_bin);
        self.values = Some(Bins::onto(&mut self.stage.bins).read(json)?);
        Ok(())
    }

    /// Its layout and sum, or why it is refused.
    fn check(&self) -> Result<(Layout, i64), Refusal> {
        let kind = match self.kind.ok_or(Refusal::TypeMissing)? {
            Leaf::Whole(code) => u8::try_from(code).ok(),
            _ => None,
        };
        let kind = kind.and_then(|code| HistogramKind::try_from(code).ok());
        let kind = kind.ok_or(Refusal::TypeUnknown)?;
        let sum = match self.sum.ok_or(Refusal::SumMissing)? {
            Leaf::Whole(sum) if sum < 0 => return Err(Refusal::SumNegative),
            Leaf::Whole(sum) => sum,
            Leaf::Beyond => return Err(Refusal::SumTooLarge),
            _ => return Err(Refusal::SumNotAnInteger),
        };
        self.values.ok_or(Refusal::ValuesMissing)?.check()?;
        let layout = self.layout(kind).ok_or(Refusal::LayoutOutOfRange)?;
        Ok((layout, sum))
    }

    /// The layout as it identifies an aggregate. Where the kind alone decides (boolean, flag, count), or the number of
    /// bins (categorical), the range as sent is replaced by the one that clients usually send.
    fn layout(&self, kind: HistogramKind) -> Option<Layout> {
        let bin_count = match self.bin_count {
            Some(Leaf::Whole(count)) => u32::try_from(count).ok(),
            _ => None,
        };
        let bin_count = bin_count.filter(|count| (1..=sketch::BIN_COUNT_MAX).contains(count));
        let (min, max, bin_count) = match kind {
            HistogramKind::Count => return Some(Layout::COUNT),
            HistogramKind::Boolean | HistogramKind::Flag => (1, 2, 3),
            HistogramKind::Categorical => (1, i64::from(bin_count?.max(2) - 1), bin_count?),
            HistogramKind::Exponential | HistogramKind::Linear => {
                let (min, max) = self.range?;
                let fits = 0 <= min && min <= max && max <= RANGE_MAX;
                (min, max, bin_count.filter(|_| fits)?)
            }
            // No telemetry ping states these.
            HistogramKind::Functional
            | HistogramKind::GleanLinear
            | HistogramKind::Keys
            | HistogramKind::Categories
            | HistogramKind::ExponentialNumbers
            | HistogramKind::LinearNumbers => return None,
        };
        Some(Layout {
            kind,
            min,
            max,
            bin_count,
        })
    }

    /// Brings the bins into ascending order, finds repeated keys, and drops zeros.
    fn settle_bins(&mut self) {
        let bins = &mut self.stage.bins;
        let mine = &mut bins[self.first_bin..];
        if !mine.is_sorted_by(|a, b| a.0 < b.0) {
            mine.sort_unstable();
            if mine.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                self.stage.fail(PingError::DuplicateKey);
                return;
            }
        }
        let mut kept = self.first_bin;
        for at in self.first_bin..bins.len() {
            if bins[at].1 != 0 {
                bins[kept] = bins[at];
                kept += 1;
            }
        }
        bins.truncate(kept);
    }

    fn push(self, layout: Layout, sum: i64) {
        let Self {
            key,
            label,
            process,
            stage,
            first_bin,
            kind,
            values,
            ..
        } = self;
        values.unwrap_or_default().note_odd(&mut stage.refused);
        if kind == Some(Leaf::Whole(i64::from(HistogramKind::Count.code()))) {
            stage.bins.truncate(first_bin);
            let metric = stage.vocabulary.count(key);
            stage.push_number(metric, process, label, layout, sum);
            return;
        }
        let metric = stage.vocabulary.histogram(key);
        let layout = stage.vocabulary.layout(layout);
        stage.push(Contribution {
            metric,
            process,
            label,
            layout,
            sum,
            first_bin,
        });
    }
}

impl Fields for Histogram<'_> {
    type Done = ();

    fn entry(&mut self, key: Key<'_>, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        let Some(at) = KEYS.iter().position(|name| *name == key.text) else {
            self.start = None;
            return json.skip();
        };
        if self.once.again(at) {
            self.stage.fail(PingError::DuplicateKey);
        }
        match at {
            0 => self.kind = Some(json.leaf()?),
            1 => self.sum = Some(json.leaf()?),
            2 => self.bin_count = Some(json.leaf()?),
            3 => self.range = json.value(Range)?,
            _ => {
                if let Some(start) = self.start.take() {
                    self.keep_header(start, json);
                }
                self.read_bins(json)?;
            }
        }
        Ok(())
    }

    fn end(mut self) {
        self.settle_bins();
        match self.check() {
            Ok((layout, sum)) => self.push(layout, sum),
            Err(refusal) => {
                self.stage.bins.truncate(self.first_bin);
                self.stage.refused.note(refusal, 1);
            }
        }
    }

    fn other(self, _leaf: Leaf) {
        self.stage.refused.note(Refusal::HistogramNotAnObject, 1);
    }
}

/// `histograms`: histograms by metric.
pub(super) struct HistogramMap<'a> {
    process: u32,
    stage: &'a mut Stage,
    serial: u64,
}

impl<'a> HistogramMap<'a> {
    pub(super) fn new(process: u32, stage: &'a mut Stage) -> Self {
        let serial = stage.vocabulary.next_serial();
        Self {
            process,
            stage,
            serial,
        }
    }
}

impl Fields for HistogramMap<'_> {
    type Done = ();

    fn entry(&mut self, key: Key<'_>, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        let Self {
            process,
            stage,
            serial,
        } = self;
        let see = |vocabulary: &mut Vocabulary| vocabulary.histogram_keys.see(key, *serial);
        match admit(key, stage, see) {
            None => json.skip(),
            Some(key) => Histogram::new(key, NO_LABEL, *process, stage).read(json),
        }
    }

    fn end(self) {}

    fn other(self, leaf: Leaf) {
        not_an_object(leaf, self.stage);
    }
}
