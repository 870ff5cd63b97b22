//! Target: the messages of the log. A plan's list is read again as it was written; what recovery reads of a record is
//! what decoding the whole gives.

use edge::fuzzing::{ids_of_runs, logged_head, runs_of_ids};
use index_schema::proto::{LogState, PingRecord, Plan, PlanDone, RecordRun};
use ping::{Incarnation, RecordId};
use prost::Message;

/// The bytes of a message of any of the kinds.
pub fn target(data: &[u8]) {
    if let Ok(plan) = Plan::decode(data) {
        let ids: Vec<RecordId> = ids_of_runs(&plan.runs).collect();
        let steps: usize = plan.runs.iter().map(|run| run.steps.len() + 1).sum();
        assert!(ids.len() <= steps, "no more records than the list has steps");
        let again = runs_of_ids(ids.iter().copied());
        assert!(
            ids_of_runs(&again).eq(ids.iter().copied()),
            "the same records in the same order"
        );
        assert_eq!(Plan::decode(plan.encode_to_vec().as_slice()), Ok(plan));
    }
    if let (Some(seen), Ok(record)) = (logged_head(data), PingRecord::decode(data)) {
        let wanted = PingRecord {
            incarnation: record.incarnation,
            sequence: record.sequence,
            received_us: record.received_us,
            submission_date: record.submission_date,
            uri: record.uri,
            ..PingRecord::default()
        };
        assert_eq!(seen, wanted);
    }
    let _ = LogState::decode(data);
    let _ = PlanDone::decode(data);
}

/// A plan, a record, a state, a mark.
pub fn seeds() -> Vec<Vec<u8>> {
    let plan = Plan {
        plan: 3,
        key: "pings/v1/x.zst".to_owned(),
        format_major: 1,
        records: 5,
        runs: vec![
            RecordRun {
                incarnation: vec![7; 16].into(),
                first: 10,
                steps: vec![1, 1, -5],
            },
            RecordRun {
                incarnation: vec![8; 16].into(),
                first: u64::MAX,
                steps: vec![i64::MIN, i64::MAX],
            },
        ],
        ..Plan::default()
    };
    let ids = [Incarnation::from_bytes([7; 16]), Incarnation::from_bytes([9; 16])];
    let ids = ids.map(|incarnation| RecordId {
        incarnation,
        sequence: 4,
    });
    vec![
        plan.encode_to_vec(),
        Plan {
            runs: runs_of_ids(ids),
            ..Plan::default()
        }
        .encode_to_vec(),
        crate::log_reader::ping(5),
        PlanDone { plan: 3, records: 5 }.encode_to_vec(),
    ]
}
