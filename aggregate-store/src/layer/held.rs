//! What a reader adds to what it finds in the database: layers, each under the number that its transaction writes. Pure.

use std::sync::Arc;

use ping::Timestamp;

use super::Part;

/// All layers that were held at one moment, oldest first. It stays as it is while a reader uses it.
///
/// A reader takes it *before* its snapshot of the database. What is held then is in the snapshot exactly if the snapshot
/// says that the layer's number was written; what was held later and is written is in the snapshot, as is everything
/// before it, for layers are written in order. So every answer is a prefix of what was folded, nothing twice or missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// Who holds them.
    pub(crate) writer: [u8; 16],
    /// Number and batches of each.
    pub(crate) layers: Vec<(u64, Vec<Arc<Part>>)>,
}

/// What the transaction of a layer writes beside its sums.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerStamp {
    /// Who writes it.
    pub(crate) writer: [u8; 16],
    /// The layer's number; those of one writer ascend.
    pub(crate) number: u64,
    /// When it is written.
    pub(crate) persisted_at: Timestamp,
}

impl Held {
    /// The batches of layers that are not written when this one is the newest written.
    pub(crate) fn beyond(&self, newest: Option<u64>) -> Vec<&Part> {
        self.layers
            .iter()
            .filter(|(number, _)| newest.is_none_or(|newest| *number > newest))
            .flat_map(|(_, parts)| parts.iter().map(Arc::as_ref))
            .collect()
    }
}
