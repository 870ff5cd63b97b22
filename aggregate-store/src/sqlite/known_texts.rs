//! The texts of ids, as far as answers asked for them. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::limits::KNOWN_TEXTS_BYTES_MAX;

/// About what an entry takes beside its text.
const ENTRY_BYTES: usize = 64;

/// Texts by their ids.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownTexts {
    by_id: HashMap<i64, Arc<str>, RandomState>,
    bytes: usize,
}

impl KnownTexts {
    /// The text of an id, if it is known.
    pub(super) fn get(&self, id: i64) -> Option<&Arc<str>> {
        self.by_id.get(&id)
    }

    /// Adds texts. What there is no room for takes the place of all others; what alone is too much is not kept.
    pub(super) fn add(&mut self, texts: &HashMap<i64, Arc<str>>) {
        let added: usize = texts.values().map(|text| ENTRY_BYTES + text.len()).sum();
        if added > KNOWN_TEXTS_BYTES_MAX {
            return;
        }
        if self.bytes + added > KNOWN_TEXTS_BYTES_MAX {
            *self = Self::default();
        }
        for (id, text) in texts {
            if self.by_id.insert(*id, Arc::clone(text)).is_none() {
                self.bytes += ENTRY_BYTES + text.len();
            }
        }
    }

    /// Memory that they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ids: std::ops::Range<i64>, length: usize) -> HashMap<i64, Arc<str>> {
        ids.map(|id| (id, "x".repeat(length).into())).collect()
    }

    #[test]
    fn texts_are_known_by_their_ids_and_counted_once() {
        let mut known = KnownTexts::default();
        known.add(&HashMap::from([(7, "seven".into()), (8, "eight".into())]));
        known.add(&HashMap::from([(7, "seven".into())]));
        assert_eq!(known.get(7).map(|text| &**text), Some("seven"));
        assert_eq!(known.get(9), None);
        assert_eq!(known.bytes(), 2 * ENTRY_BYTES + 10);
    }

    #[test]
    fn texts_never_take_more_than_their_room() {
        let mut known = KnownTexts::default();
        let length = KNOWN_TEXTS_BYTES_MAX / 4;
        for id in 0..20 {
            known.add(&texts(id..id + 1, length));
            assert!(known.bytes() <= KNOWN_TEXTS_BYTES_MAX && known.get(id).is_some());
        }
        let before = known.bytes();
        known.add(&texts(30..35, length));
        assert_eq!(
            (known.bytes(), known.get(30)),
            (before, None),
            "alone they are too much"
        );
    }
}
