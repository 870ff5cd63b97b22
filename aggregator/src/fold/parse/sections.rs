//! The payload's sections, by process, and what reads each.

use readers::json::{Cursor, Fields, JsonError, Key, Leaf, Once};

use super::histogram::HistogramMap;
use super::keyed::{Keyed, KeyedMap};
use super::numbers::{ScalarMap, SimpleMap};
use super::section::{Owner, Section, not_an_object};
use crate::fold::ping_error::PingError;
use crate::fold::refusal::Refusal;
use crate::fold::staged::Stage;
use crate::limits::NAME_BYTES_MAX;

/// The sections of one process.
pub(super) struct Sections<'a> {
    owner: Owner,
    process: u32,
    stage: &'a mut Stage,
    once: Once,
}

impl<'a> Sections<'a> {
    /// Those of `payload`.
    pub(super) fn payload(stage: &'a mut Stage) -> Self {
        let parent = stage.vocabulary.processes.intern("parent");
        Self::of(Owner::Payload, parent, stage)
    }

    fn of(owner: Owner, process: u32, stage: &'a mut Stage) -> Self {
        Self {
            owner,
            process,
            stage,
            once: Once::default(),
        }
    }
}

impl Fields for Sections<'_> {
    type Done = ();

    fn entry(&mut self, key: Key<'_>, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        let Some(section) = Section::of(self.owner, key.text) else {
            return json.skip();
        };
        if self.once.again(section as usize) {
            self.stage.fail(PingError::DuplicateKey);
        }
        let (process, stage) = (self.process, &mut *self.stage);
        match section {
            Section::Histograms => json.value(HistogramMap::new(process, stage)),
            Section::KeyedHistograms => json.value(KeyedMap::new(Keyed::Histograms, process, stage)),
            Section::SimpleMeasurements => json.value(SimpleMap::new(process, stage)),
            Section::Scalars => json.value(ScalarMap::new(process, stage)),
            Section::KeyedScalars => json.value(KeyedMap::new(Keyed::Scalars, process, stage)),
            Section::ChildPayloads => json.value(Children(stage)),
            Section::Processes => json.value(Processes::new(stage)),
        }
    }

    fn end(self) {}

    fn other(self, leaf: Leaf) {
        not_an_object(leaf, self.stage);
    }
}

/// `childPayloads`: an array of sections.
struct Children<'a>(&'a mut Stage);

impl Fields for Children<'_> {
    type Done = ();

    fn list(self, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        let content = self.0.vocabulary.processes.intern("content");
        json.elements(|json| json.value(Sections::of(Owner::Child, content, &mut *self.0)))
    }

    fn entry(&mut self, _key: Key<'_>, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        json.skip()
    }

    fn end(self) {
        not_an_object(Leaf::Object, self.0);
    }

    fn other(self, leaf: Leaf) {
        not_an_object(leaf, self.0);
    }
}

/// `processes`: sections by the process's name.
struct Processes<'a> {
    stage: &'a mut Stage,
    serial: u64,
    seen: u32,
}

impl<'a> Processes<'a> {
    fn new(stage: &'a mut Stage) -> Self {
        let serial = stage.vocabulary.next_serial();
        Self {
            stage,
            serial,
            seen: 0,
        }
    }

    /// Whose sections follow, and their process; `None` when they are not read.
    fn admit(&mut self, name: Key<'_>) -> Option<(Owner, u32)> {
        self.seen = self.seen.saturating_add(1);
        if self.seen > self.stage.caps.processes_per_ping {
            self.stage.fail(PingError::TooManyProcesses);
            return None;
        }
        if name.text.len() > NAME_BYTES_MAX {
            self.stage.refused.note(Refusal::NameTooLong, 1);
            return None;
        }
        self.stage
            .refused
            .note(Refusal::TextRepaired, name.is_repaired.into());
        let (_, again) = self.stage.vocabulary.process_keys.see(name, self.serial);
        if again {
            self.stage.fail(PingError::DuplicateKey);
        }
        let owner = if name.text == "parent" {
            Owner::ParentProcess
        } else {
            Owner::Process
        };
        Some((owner, self.stage.vocabulary.processes.intern(name.text)))
    }
}

impl Fields for Processes<'_> {
    type Done = ();

    fn entry(&mut self, key: Key<'_>, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        match self.admit(key) {
            None => json.skip(),
            Some((owner, process)) => json.value(Sections::of(owner, process, &mut *self.stage)),
        }
    }

    fn end(self) {}

    fn other(self, leaf: Leaf) {
        not_an_object(leaf, self.stage);
    }
}
