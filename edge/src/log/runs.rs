//! The list of records in a plan: record ids as runs of steps, in both directions.

use index_schema::proto::RecordRun;
use ping::{Incarnation, RecordId};

/// The runs of these records, in their order.
pub(crate) fn encode(ids: impl IntoIterator<Item = RecordId>) -> Vec<RecordRun> {
    let mut runs: Vec<RecordRun> = Vec::new();
    let mut last: Option<RecordId> = None;
    for id in ids {
        match (&last, runs.last_mut()) {
            (Some(before), Some(run)) if before.incarnation == id.incarnation => {
                run.steps.push(id.sequence.wrapping_sub(before.sequence) as i64);
            }
            _ => runs.push(RecordRun {
                incarnation: id.incarnation.as_bytes().to_vec().into(),
                first: id.sequence,
                steps: Vec::new(),
            }),
        }
        last = Some(id);
    }
    runs
}

/// The records of these runs, in their order; a run of a malformed incarnation has none.
pub(crate) fn decode(runs: &[RecordRun]) -> impl Iterator<Item = RecordId> {
    runs.iter()
        .filter_map(|run| Some((Incarnation::from_slice(&run.incarnation)?, run)))
        .flat_map(|(incarnation, run)| {
            let steps = std::iter::once(0).chain(run.steps.iter().copied());
            steps.scan(run.first, move |sequence, step| {
                *sequence = sequence.wrapping_add(step as u64);
                Some(RecordId {
                    incarnation,
                    sequence: *sequence,
                })
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_list_of_records_is_read_back_as_it_was_written(list: Vec<(bool, u64)>) {
            let ids: Vec<_> = list.into_iter().map(|(own, sequence)| RecordId {
                incarnation: Incarnation::from_bytes([u8::from(own); 16]), sequence,
            }).collect();
            prop_assert_eq!(decode(&encode(ids.iter().copied())).collect::<Vec<_>>(), ids);
        }
    }
}
