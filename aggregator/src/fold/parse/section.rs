//! A section of the payload: histograms, keyed histograms, simple measurements, scalars, keyed scalars, or what holds more
//! of these; who has it, and what may stand in its place.

use readers::json::Leaf;

use crate::fold::refusal::Refusal;
use crate::fold::staged::Stage;

/// Whose sections these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// `payload`: the parent process.
    Payload,
    /// An element of `payload.childPayloads`: a content process of its own.
    Child,
    /// `payload.processes.parent`: scalars only.
    ParentProcess,
    /// Any other process.
    Process,
}

/// A section; the number is for [`Once`](readers::json::Once).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
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
    pub(super) fn of(owner: Owner, key: &str) -> Option<Self> {
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

/// Null stands for an absent section; anything else that is no object is refused and counted.
pub(super) fn not_an_object(leaf: Leaf, stage: &mut Stage) {
    if leaf != Leaf::Null {
        stage.refused.note(Refusal::SectionNotAnObject, 1);
    }
}
