//! The sums of one batch: staged pings are added to them, or taken away.

use std::collections::HashMap;

use aggregate_store::{DimensionSet, UserGroup};
use sketch::{Cell, UserSketch, coupon_of};

use super::ids::{CellKey, IdMap};
use super::refusal::RefusalCounts;
use super::staged::Stage;

/// About what a cell takes besides its bins: key, cell and the map's slack.
const CELL_BYTES: usize = 160;
/// What a bin takes.
const BIN_BYTES: usize = size_of::<(i64, i128)>();
/// About what a dimension set or a group of users takes; a sketch has at most 4,096 registers, usually far less.
const SET_BYTES: usize = 600;

/// Sums by dense ids.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) set_ids: HashMap<DimensionSet, u32>,
    /// Counted pings by dimension set.
    pub(super) sets: Vec<i64>,
    pub(super) cells: IdMap<CellKey, Cell>,
    pub(super) users: HashMap<UserGroup, UserSketch>,
    pub(super) refused: RefusalCounts,
    bytes: usize,
}

impl Tables {
    /// Adds the staged ping `sign` times (+1, −1).
    pub(super) fn add(&mut self, stage: &Stage, sign: i64) {
        let set = self.set_id(&stage.dimensions);
        self.sets[set as usize] += sign;
        self.refused.add(&stage.refused, sign);
        for (at, contribution) in stage.contributions.iter().enumerate() {
            let key = CellKey {
                set,
                metric: contribution.metric,
                process: contribution.process,
                label: contribution.label,
                layout: contribution.layout,
            };
            let bytes = &mut self.bytes;
            let cell = self.cells.entry(key).or_insert_with(|| {
                *bytes += CELL_BYTES;
                Cell::default()
            });
            let bins_before = cell.bins().len();
            cell.merge_sorted(1, i128::from(contribution.sum), stage.bins_of(at), sign);
            *bytes += BIN_BYTES * cell.bins().len().saturating_sub(bins_before);
        }
    }

    /// Unites the staged ping's client with those of its group. Every copy does: a set takes no harm from repeats.
    pub(super) fn note_user(&mut self, stage: &Stage) {
        let Some(coupon) = coupon_of(&stage.client_id) else {
            return;
        };
        let group = stage.dimensions.user_group();
        let bytes = &mut self.bytes;
        let users = self.users.entry(group).or_insert_with(|| {
            *bytes += SET_BYTES;
            UserSketch::new()
        });
        users.insert(coupon);
        self.bytes += size_of::<u32>();
    }

    /// The dimension sets with their counts of pings, by id.
    pub(super) fn sets_in_order(
        set_ids: HashMap<DimensionSet, u32>,
        pings: &[i64],
    ) -> Vec<(DimensionSet, i64)> {
        let mut sets: Vec<(DimensionSet, u32)> = set_ids.into_iter().collect();
        sets.sort_unstable_by_key(|(_, id)| *id);
        sets.into_iter()
            .map(|(set, id)| (set, pings[id as usize]))
            .collect()
    }

    /// About how much memory the sums take.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    fn set_id(&mut self, set: &DimensionSet) -> u32 {
        if let Some(&id) = self.set_ids.get(set) {
            return id;
        }
        let id = u32::try_from(self.sets.len()).expect("a batch ends long before 2^32 dimension sets");
        self.set_ids.insert(set.clone(), id);
        self.sets.push(0);
        self.bytes += SET_BYTES;
        id
    }
}
