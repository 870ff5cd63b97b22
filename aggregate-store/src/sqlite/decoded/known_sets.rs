//! The dimension sets of one source. Pure.

use super::super::sets::SetRow;

/// Sets by ascending ids, each with its day and its values by the ids of their names.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct KnownSets {
    ids: Vec<u32>,
    days: Vec<u32>,
    /// Where the values of each set end among `pairs`.
    ends: Vec<u32>,
    /// Ids of dimension and value, ascending within each set.
    pairs: Vec<(u32, u32)>,
}

impl KnownSets {
    /// Adds a set; false when its id is not above those there, or there is no room to count it.
    pub(in super::super) fn push(&mut self, set: &SetRow) -> bool {
        let end = u32::try_from(self.pairs.len() + set.pairs.len());
        let (true, Ok(end)) = (self.ids.last().is_none_or(|last| *last < set.id), end) else {
            return false;
        };
        self.ids.push(set.id);
        self.days.push(set.submission_date);
        self.pairs.extend_from_slice(&set.pairs);
        self.ends.push(end);
        true
    }

    /// The place of a set.
    pub(in super::super) fn place(&self, id: u32) -> Option<usize> {
        self.ids.binary_search(&id).ok()
    }

    /// The day of the set at a place, YYYYMMDD.
    pub(in super::super) fn day(&self, place: usize) -> u32 {
        self.days[place]
    }

    /// The id of its value of a dimension; `None` where it states none.
    pub(in super::super) fn value(&self, place: usize, dimension: u32) -> Option<u32> {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        let pairs = &self.pairs[start as usize..self.ends[place] as usize];
        let found = pairs.iter().find(|(name, _)| *name == dimension);
        found.map(|(_, value)| *value)
    }

    /// How many there are.
    #[cfg(test)]
    pub(in super::super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Memory that it takes.
    pub(in super::super) fn bytes(&self) -> usize {
        self.ids.capacity() * 12 + self.pairs.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(id: u32, day: u32, pairs: &[(u32, u32)]) -> SetRow {
        SetRow {
            id,
            source: 1,
            submission_date: day,
            pairs: pairs.to_vec(),
        }
    }

    #[test]
    fn each_set_keeps_its_own_values() {
        let mut known = KnownSets::default();
        assert!(known.push(&set(3, 20_170_101, &[(1, 10), (2, 20)])));
        assert!(known.push(&set(5, 20_170_102, &[])));
        assert!(known.push(&set(9, 20_170_103, &[(2, 21)])));
        assert!(!known.push(&set(9, 20_170_103, &[])), "ids ascend");
        let place = |id| known.place(id).expect("it is known");
        assert_eq!((known.place(4), known.len()), (None, 3));
        assert_eq!(known.day(place(5)), 20_170_102);
        let values: Vec<Option<u32>> = [3, 5, 9].map(|id| known.value(place(id), 2)).to_vec();
        assert_eq!(values, [Some(20), None, Some(21)]);
        assert_eq!(
            (known.value(place(3), 1), known.value(place(9), 1)),
            (Some(10), None)
        );
    }
}
