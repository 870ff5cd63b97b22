//! Batches over records in any order, without I/O: the outcome is a function of what is stored.

use chunk::{RecordRef, records};
use ping::{ChunkId, Incarnation};
use proptest::prelude::*;

use super::memory::State;
use super::records::{Dice, Stored, at, expected, throw};
use crate::batch_fold::{BatchFold, Displaced};
use crate::fold::FoldSettings;
use crate::scope::Scope;
use aggregate_store::Committed;
use index_schema::{ChunkKind, IndexEntry};

/// The raw frame of a chunk with these records.
pub(super) fn frame(records: &[Stored]) -> Vec<u8> {
    let mut raw = Vec::new();
    for record in records {
        record.head.append_to(&record.body, &mut raw);
    }
    raw
}

pub(super) fn id(plan: u64) -> ChunkId {
    ChunkId {
        incarnation: Incarnation::from_bytes([7; 16]),
        boot: 1,
        plan,
    }
}

pub(super) fn entry(plan: u64, records: u64) -> IndexEntry {
    IndexEntry {
        key: plan.to_string(),
        id: id(plan),
        kind: ChunkKind::Pings,
        partition: ping::Partition::new(std::array::from_fn(|_| "x".to_owned())),
        records,
        raw_bytes: 0,
        stored_bytes: 0,
        received_bytes: 0,
        received_min: at(0),
        received_max: at(0),
        sealed: at(0),
        replaces: Vec::new(),
        error_reasons: std::collections::BTreeMap::new(),
    }
}

/// Folds a batch of chunks; `all` finds any chunk again.
fn fold_batch(state: &mut State, plans: &[usize], all: &[Vec<Stored>]) -> Committed {
    let mut batch = BatchFold::new(FoldSettings::default(), Scope::default());
    for &plan in plans {
        let raw = frame(&all[plan]);
        let unknown = batch.unknown_documents(&raw).expect("records");
        batch.load(&unknown, state.seen_of(&unknown));
        let folded = batch
            .fold_frame(id(plan as u64), 0, &raw, |_| ())
            .expect("records");
        assert_eq!(folded as usize, all[plan].len());
        batch.end_chunk(&entry(plan as u64, folded.into()));
    }
    for displaced in batch.displaced() {
        let Displaced { place, .. } = displaced;
        let raw = frame(&all[usize::try_from(place.chunk.plan).expect("few")]);
        let record: RecordRef<'_> = records(&raw)
            .nth(place.position as usize)
            .expect("the record")
            .expect("a record");
        batch
            .take_back(&displaced, &record, record.body)
            .expect("it was folded before");
    }
    state.apply(batch.finish())
}

/// Cuts items into runs of random length.
fn cut<T: Clone>(dice: &mut Dice, items: &[T], longest: usize) -> Vec<Vec<T>> {
    let mut runs = Vec::new();
    let mut rest = items;
    while !rest.is_empty() {
        let length = (1 + dice.below(longest)).min(rest.len());
        runs.push(rest[..length].to_vec());
        rest = &rest[length..];
    }
    runs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_order_of_chunks_and_batches_counts_each_document_as_the_rule_says(seed: u64, count in 1..40_usize) {
        let mut dice = Dice(seed);
        let mut stored = throw(&mut dice, count);
        let expected = expected(&stored);
        dice.shuffle(&mut stored);
        let chunks = cut(&mut dice, &stored, 6);
        let mut order: Vec<usize> = (0..chunks.len()).collect();
        dice.shuffle(&mut order);
        let mut state = State::default();
        for plans in cut(&mut dice, &order, 4) {
            prop_assert_eq!(fold_batch(&mut state, &plans, &chunks), Committed::Written);
        }
        let counted = state.seen.values().filter(|row| row.3).count() as i64;
        prop_assert!(counted <= state.status.counters.folded);
        prop_assert_eq!(state.content(), expected);
    }

    #[test]
    fn a_record_that_lies_in_two_chunks_counts_once(seed: u64, count in 1..12_usize) {
        let mut dice = Dice(seed);
        let mut stored = throw(&mut dice, count);
        stored.retain(|record| !record.head.uri.starts_with(b"/submit/telemetry//"));
        let expected = expected(&stored);
        let chunks = [stored.clone(), stored];
        let mut state = State::default();
        let together: &[&[usize]] = if dice.below(2) == 0 { &[&[0, 1]] } else { &[&[0], &[1]] };
        for plans in together {
            prop_assert_eq!(fold_batch(&mut state, plans, &chunks), Committed::Written);
        }
        prop_assert_eq!(&state.cells, &expected.0);
        prop_assert_eq!(state.status.counters.folded, expected.2.counters.folded);
    }
}

#[test]
fn a_chunk_that_is_folded_changes_nothing_the_second_time() {
    let chunks = [throw(&mut Dice(3), 10)];
    let mut state = State::default();
    assert_eq!(fold_batch(&mut state, &[0], &chunks), Committed::Written);
    let before = state.clone();
    assert_eq!(
        fold_batch(&mut state, &[0], &chunks),
        Committed::AlreadyFolded(vec![id(0)])
    );
    assert_eq!(state, before);
}
