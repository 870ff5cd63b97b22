//! The sums of one batch: staged pings are added to them, or taken away.

use std::collections::HashMap;

use aggregate_store::{Batch, CellAddress, DimensionSet};
use foldhash::fast::RandomState;
use sketch::{Cell, UserSketch, coupon_of};

use super::ids::IdMap;
use super::refusal::RefusalCounts;
use super::shape::{Shapes, StagedSet, users_of};
use super::staged::Stage;

/// About what a cell takes besides its bins: key, cell and the map's slack.
const CELL_BYTES: usize = 160;
/// What a bin takes.
const BIN_BYTES: usize = size_of::<(i64, i128)>();
/// About what a dimension set or a group of users takes; a sketch has at most 4,096 registers, usually far less.
const SET_BYTES: usize = 600;

/// What a cell is known by among those of one dimension set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct InSet {
    metric: u32,
    process: u32,
    label: u32,
    layout: u32,
}

/// Sums by dense ids.
#[derive(Debug, Default)]
pub(super) struct Tables {
    set_ids: HashMap<StagedSet, u32, RandomState>,
    /// By the ids of dimension sets: a ping touches one of these small tables, not cells all over a large one.
    cells: Vec<IdMap<InSet, Cell>>,
    /// By the ids of dimension sets, too.
    users: IdMap<u32, UserSketch>,
    /// By the ids of dimension sets, of those that have any.
    refused: IdMap<u32, Box<RefusalCounts>>,
    bytes: usize,
}

impl Tables {
    /// Adds the staged ping `sign` times (+1, −1).
    pub(super) fn add(&mut self, stage: &Stage, sign: i64) {
        let set = self.set_id(&stage.dimensions);
        if !stage.refused.is_empty() {
            let bytes = &mut self.bytes;
            let refused = self.refused.entry(set).or_insert_with(|| {
                *bytes += size_of::<RefusalCounts>();
                Box::default()
            });
            refused.add(&stage.refused, sign);
        }
        let cells = &mut self.cells[set as usize];
        for (at, contribution) in stage.contributions.iter().enumerate() {
            let key = InSet {
                metric: contribution.metric,
                process: contribution.process,
                label: contribution.label,
                layout: contribution.layout,
            };
            let bytes = &mut self.bytes;
            let cell = cells.entry(key).or_insert_with(|| {
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
        let coupon = match (&stage.client_hash, &stage.client) {
            (Some(hash), _) => coupon_of(&hash.to_hex()),
            (None, Some(client)) => coupon_of(client.as_str()),
            (None, None) => return,
        };
        let Some(coupon) = coupon else { return };
        let set = self.set_id(&stage.dimensions);
        let bytes = &mut self.bytes;
        let users = self.users.entry(set).or_insert_with(|| {
            *bytes += SET_BYTES;
            UserSketch::new()
        });
        users.insert(coupon);
        self.bytes += size_of::<u32>();
    }

    /// Writes the sums into a batch. The names they are made of are written by whoever keeps them.
    pub(super) fn write_into(self, shapes: &Shapes, batch: &mut Batch) {
        let mut sets: Vec<(StagedSet, u32)> = self.set_ids.into_iter().collect();
        sets.sort_unstable_by_key(|(_, id)| *id);
        batch.dimension_sets = sets.into_iter().map(|(set, _)| shapes.set(set)).collect();
        for (dimension_set, cells) in (0..).zip(&self.cells) {
            for (key, cell) in cells {
                let InSet {
                    metric,
                    process,
                    label,
                    layout,
                } = *key;
                batch.cells.push(
                    CellAddress {
                        metric,
                        dimension_set,
                        process,
                        label,
                        layout,
                    },
                    cell,
                );
            }
        }
        let mut users: HashMap<DimensionSet, UserSketch> = HashMap::new();
        for (set, sketch) in self.users {
            let set = users_of(&batch.dimension_sets[set as usize]);
            users.entry(set).or_default().merge(&sketch);
        }
        batch.users = users.into_iter().collect();
        for (set, refused) in self.refused {
            let set = &batch.dimension_sets[set as usize];
            let place = (set.source().clone(), set.submission_date());
            let of_source = batch.by_source.entry(place).or_default();
            for (reason, parts) in refused.iter() {
                for reasons in [&mut of_source.refused_by_reason, &mut batch.refused_by_reason] {
                    *reasons.entry(reason.to_owned()).or_default() += parts;
                }
            }
            of_source.refused_by_reason.retain(|_, parts| *parts != 0);
        }
        batch.refused_by_reason.retain(|_, parts| *parts != 0);
    }

    /// About how much memory the sums take.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    fn set_id(&mut self, set: &StagedSet) -> u32 {
        if let Some(&id) = self.set_ids.get(set) {
            return id;
        }
        let id = u32::try_from(self.set_ids.len()).expect("a batch ends long before 2^32 dimension sets");
        self.set_ids.insert(set.clone(), id);
        self.cells.push(IdMap::default());
        self.bytes += SET_BYTES;
        id
    }
}
