//! Into which epochs a batch folds: those in use, or the one that a rebuild makes of a source. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;

use aggregate_store::{Epochs, Rebuild, RebuildWish, Source};
use index_schema::IndexEntry;
use ping::{Dimension, DocumentKey, OTHER, SubmissionDate};

/// Into which epochs a batch folds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    epochs: Arc<Epochs>,
    rebuild: Option<Arc<Rebuild>>,
}

impl Scope {
    /// Into those in use.
    pub(crate) fn in_use(epochs: Epochs) -> Self {
        Self {
            epochs: Arc::new(epochs),
            rebuild: None,
        }
    }

    /// Into that of a rebuild, beside these.
    pub(crate) fn of_rebuild(epochs: Epochs, rebuild: Rebuild) -> Self {
        Self {
            epochs: Arc::new(epochs),
            rebuild: Some(Arc::new(rebuild)),
        }
    }

    /// The number of the epochs in use.
    pub(crate) fn number(&self) -> u64 {
        self.epochs.number
    }

    /// The epoch of the rebuild, if it is one.
    pub(crate) fn rebuild(&self) -> Option<u32> {
        self.rebuild.as_ref().map(|rebuild| rebuild.epoch)
    }

    /// Whether pings of a source and day are folded.
    pub(crate) fn takes(&self, source: &str, day: SubmissionDate) -> bool {
        self.rebuild
            .as_ref()
            .is_none_or(|rebuild| is_wished(&rebuild.wish, source, day))
    }

    /// The epoch in which pings of a source and day lie, for the batch.
    pub(crate) fn epoch(&self, source: &str, day: SubmissionDate) -> u32 {
        match &self.rebuild {
            Some(rebuild) if is_wished(&rebuild.wish, source, day) => rebuild.epoch,
            _ => self.epochs.at(source, day),
        }
    }

    /// All epochs in which copies of a document may lie.
    pub(crate) fn epochs_of(&self, source: &str) -> BTreeSet<u32> {
        let pieces = self.epochs.pieces(&Source::named(source)).into_iter();
        let in_use = pieces.map(|piece| piece.source.epoch());
        let rebuild = self.rebuild.iter().map(|rebuild| rebuild.epoch);
        in_use.chain(rebuild).collect()
    }
}

fn is_wished(wish: &RebuildWish, source: &str, day: SubmissionDate) -> bool {
    wish.source.as_deref().is_none_or(|wished| wished == source) && wish.days.hold(day)
}

/// Under which key a store knows the copies of a document in an epoch of its source: in the first one under the document's own,
/// in another one under one that is made of both, so that a record may count in one epoch and not in another.
pub(crate) fn key_in_epoch(document: DocumentKey, epoch: u32) -> DocumentKey {
    if epoch == 0 {
        return document;
    }
    let key = u128::from_be_bytes(*document.as_bytes()) ^ u128::from(epoch).wrapping_mul(SPREAD);
    DocumentKey::from_bytes(key.to_be_bytes())
}

/// Odd, so that no two epochs meet; its bits lie all over a key. A key is a digest: that two documents' differ by just this has the
/// odds of any other collision.
const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// The source of a chunk by its partition; [`OTHER`] where that does not tell.
pub(crate) fn source_of(entry: &IndexEntry) -> String {
    let namespace = entry.partition.get(Dimension::SourceName);
    let document_type = entry.partition.get(Dimension::DocType);
    match [namespace, document_type].contains(&OTHER) {
        true => OTHER.to_owned(),
        false => format!("{namespace}/{document_type}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_of_one_document_differ_by_epoch_and_keys_of_one_epoch_by_document(
            one in any::<[u8; 16]>(), other in any::<[u8; 16]>(), epochs in (0u32..9, 0u32..9)
        ) {
            let [one, other] = [one, other].map(DocumentKey::from_bytes);
            let key = |document, epoch| key_in_epoch(document, epoch);
            prop_assert_eq!(key(one, epochs.0) == key(one, epochs.1), epochs.0 == epochs.1);
            prop_assert_eq!(key(one, epochs.0) == key(other, epochs.0), one == other);
            prop_assert_eq!(key(one, 0), one);
        }
    }
}
