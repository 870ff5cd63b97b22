//! The payload's sections, by process: histograms, keyed histograms, simple measurements, scalars, keyed scalars.

use serde::de::{MapAccess, SeqAccess};

use super::histogram::HistogramMap;
use super::keyed::{Keyed, KeyedMap};
use super::leaf::{Leaf, Skip, skip_entry};
use super::numbers::{ScalarMap, SimpleMap};
use super::object::{Fields, Key, Object, Once};
use crate::fold::ping_error::PingError;
use crate::fold::refusal::Refusal;
use crate::fold::staged::Stage;
use crate::limits::{NAME_BYTES_MAX, PROCESSES_PER_PING_MAX};

/// Whose sections these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// `payload`: the parent process.
    Payload,
    /// An element of `payload.childPayloads`: a content process of its own.
    Child,
    /// `payload.processes.parent`: scalars only.
    ParentProcess,
    /// Any other process.
    Process,
}

/// A section; the number is for [`Once`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Histograms,
    KeyedHistograms,
    SimpleMeasurements,
    Scalars,
    KeyedScalars,
    ChildPayloads,
    Processes,
}

impl Section {
    /// The section under this key, if its owner has it.
    fn of(owner: Owner, key: &str) -> Option<Self> {
        let histograms = owner != Owner::ParentProcess;
        let simple = matches!(owner, Owner::Payload | Owner::Child);
        let (section, read) = match key {
            "histograms" => (Self::Histograms, histograms),
            "keyedHistograms" => (Self::KeyedHistograms, histograms),
            "simpleMeasurements" => (Self::SimpleMeasurements, simple),
            "scalars" => (Self::Scalars, !simple),
            "keyedScalars" => (Self::KeyedScalars, !simple),
            "childPayloads" => (Self::ChildPayloads, owner == Owner::Payload),
            "processes" => (Self::Processes, owner == Owner::Payload),
            _ => return None,
        };
        read.then_some(section)
    }
}

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

impl<'de> Fields<'de> for Sections<'_> {
    type Done = ();

    fn entry<A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<bool, A::Error> {
        let owner = self.owner;
        let Some(section) = map.next_key_seed(Key::new(|key: &str| Section::of(owner, key)))? else {
            return Ok(false);
        };
        let Some(section) = section else {
            map.next_value_seed(Skip)?;
            return Ok(true);
        };
        self.once.note(section as usize, self.stage);
        let (process, stage) = (self.process, &mut *self.stage);
        match section {
            Section::Histograms => map.next_value_seed(Object(HistogramMap::new(process, stage)))?,
            Section::KeyedHistograms => {
                map.next_value_seed(Object(KeyedMap::new(Keyed::Histograms, process, stage)))?;
            }
            Section::SimpleMeasurements => map.next_value_seed(Object(SimpleMap::new(process, stage)))?,
            Section::Scalars => map.next_value_seed(Object(ScalarMap::new(process, stage)))?,
            Section::KeyedScalars => {
                map.next_value_seed(Object(KeyedMap::new(Keyed::Scalars, process, stage)))?;
            }
            Section::ChildPayloads => map.next_value_seed(Object(Children(stage)))?,
            Section::Processes => map.next_value_seed(Object(Processes::new(stage)))?,
        }
        Ok(true)
    }

    fn end(self) {}

    fn other(self, leaf: Leaf) {
        not_an_object(leaf, self.stage);
    }
}

/// `childPayloads`: an array of sections.
struct Children<'a>(&'a mut Stage);

impl<'de> Fields<'de> for Children<'_> {
    type Done = ();

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let content = self.0.vocabulary.processes.intern("content");
        while list
            .next_element_seed(Object(Sections::of(Owner::Child, content, &mut *self.0)))?
            .is_some()
        {}
        Ok(())
    }

    fn entry<A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<bool, A::Error> {
        skip_entry(map)
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
    fn admit(&mut self, name: &str) -> Option<(Owner, u32)> {
        self.seen = self.seen.saturating_add(1);
        if self.seen > PROCESSES_PER_PING_MAX {
            self.stage.fail(PingError::TooManyProcesses);
            return None;
        }
        if name.len() > NAME_BYTES_MAX {
            self.stage.refused.note(Refusal::NameTooLong, 1);
            return None;
        }
        let (_, again) = self.stage.vocabulary.process_keys.see(name, self.serial);
        if again {
            self.stage.fail(PingError::DuplicateKey);
        }
        let owner = if name == "parent" {
            Owner::ParentProcess
        } else {
            Owner::Process
        };
        Some((owner, self.stage.vocabulary.processes.intern(name)))
    }
}

impl<'de> Fields<'de> for Processes<'_> {
    type Done = ();

    fn entry<A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<bool, A::Error> {
        match map.next_key_seed(Key::new(|name: &str| self.admit(name)))? {
            None => return Ok(false),
            Some(None) => map.next_value_seed(Skip)?,
            Some(Some((owner, process))) => {
                map.next_value_seed(Object(Sections::of(owner, process, &mut *self.stage)))?;
            }
        }
        Ok(true)
    }

    fn end(self) {}

    fn other(self, leaf: Leaf) {
        not_an_object(leaf, self.stage);
    }
}

/// Null stands for an absent section; anything else that is no object is refused and counted.
pub(super) fn not_an_object(leaf: Leaf, stage: &mut Stage) {
    if leaf != Leaf::Null {
        stage.refused.note(Refusal::SectionNotAnObject, 1);
    }
}
