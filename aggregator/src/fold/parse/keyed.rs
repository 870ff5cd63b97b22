//! Keyed sections: metric, then label, then a histogram or a number.

use readers::json::{Cursor, Fields, JsonError, Key, Leaf};

use super::admission::admit;
use super::histogram::Histogram;
use super::numbers::{IGNORED_SCALARS, read_scalar};
use super::section::not_an_object;
use crate::fold::ping_error::PingError;
use crate::fold::staged::Stage;

/// Keyed histograms that the original leaves out on purpose.
const IGNORED_KEYED: [&str; 2] = [
    "MESSAGE_MANAGER_MESSAGE_SIZE",
    "VIDEO_DETAILED_DROPPED_FRAMES_PROPORTION",
];

/// Which keyed section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyed {
    Histograms,
    Scalars,
}

/// `keyedHistograms` or `keyedScalars`.
pub(super) struct KeyedMap<'a> {
    keyed: Keyed,
    process: u32,
    stage: &'a mut Stage,
    serial: u64,
}

impl<'a> KeyedMap<'a> {
    pub(super) fn new(keyed: Keyed, process: u32, stage: &'a mut Stage) -> Self {
        let serial = stage.vocabulary.next_serial();
        Self {
            keyed,
            process,
            stage,
            serial,
        }
    }

    fn admit(&mut self, key: Key<'_>) -> Option<u32> {
        let serial = self.serial;
        let ignored = match self.keyed {
            Keyed::Histograms => IGNORED_KEYED.contains(&key.text),
            Keyed::Scalars => key.text.starts_with(IGNORED_SCALARS),
        };
        let keyed = self.keyed;
        let admitted = admit(key, self.stage, |vocabulary| match keyed {
            Keyed::Histograms => vocabulary.histogram_keys.see(key, serial),
            Keyed::Scalars => vocabulary.scalar_keys.see(key, serial),
        });
        admitted.filter(|_| !ignored)
    }
}

impl Fields for KeyedMap<'_> {
    type Done = ();

    fn entry(&mut self, key: Key<'_>, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        let Some(metric) = self.admit(key) else {
            return json.skip();
        };
        let serial = self.stage.vocabulary.next_serial();
        json.value(Labels {
            keyed: self.keyed,
            metric,
            process: self.process,
            stage: &mut *self.stage,
            serial,
            seen: 0,
            has_texts: false,
        })
    }

    fn end(self) {}

    fn other(self, leaf: Leaf) {
        not_an_object(leaf, self.stage);
    }
}

/// What one keyed metric holds, by label.
struct Labels<'a> {
    keyed: Keyed,
    /// The metric's key: of a histogram or of a scalar.
    metric: u32,
    process: u32,
    stage: &'a mut Stage,
    serial: u64,
    seen: u32,
    has_texts: bool,
}

impl Labels<'_> {
    fn admit(&mut self, key: Key<'_>) -> Option<u32> {
        self.seen = self.seen.saturating_add(1);
        if self.seen > self.stage.caps.labels_per_metric {
            self.stage.takes_part();
            self.stage.fail(PingError::TooManyLabels);
            return None;
        }
        let serial = self.serial;
        admit(key, self.stage, |vocabulary| {
            vocabulary.inner_keys.see(key, serial)
        })
    }
}

impl Fields for Labels<'_> {
    type Done = ();

    fn entry(&mut self, key: Key<'_>, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        let Some(label) = self.admit(key) else {
            return json.skip();
        };
        let stage = &mut *self.stage;
        match self.keyed {
            Keyed::Histograms => {
                let label = stage.vocabulary.label(label);
                let histogram = Histogram::new(self.metric, label, self.process, stage);
                histogram.read(json)
            }
            Keyed::Scalars => {
                let label = stage.vocabulary.upper_label(label);
                self.has_texts |= read_scalar(json, stage, (self.metric, self.process, label))?;
                Ok(())
            }
        }
    }

    fn end(self) {
        if self.has_texts {
            let metric = self.stage.vocabulary.scalar(self.metric);
            self.stage.count_texts(metric, self.process);
        }
    }

    fn other(self, leaf: Leaf) {
        not_an_object(leaf, self.stage);
    }
}
