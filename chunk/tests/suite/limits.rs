//! A writer stops before a limit, and says which; what does not belong into the chunk is refused.

use crate::support::{any_record, day, head, record};
use chunk::{ChunkLimits, ChunkWriter, FrameEncoder, Limit, WriteError, verify};
use index_schema::ChunkKind;
use ping::Incarnation;
use proptest::prelude::*;

fn writer(limits: ChunkLimits) -> ChunkWriter<Vec<u8>> {
    let encoder = FrameEncoder::new().expect("an encoder");
    ChunkWriter::with(Vec::new(), head(ChunkKind::Pings), encoder, limits).expect("a writer")
}

proptest! {
    #[test]
    fn no_chunk_is_larger_than_its_bound(all in prop::collection::vec(any_record(ChunkKind::Pings, 9_000), 1..40), room in 3_000_u64..200_000) {
        let mut writer = writer(ChunkLimits { stored_bytes: room, ..ChunkLimits::default() });
        let mut full = false;
        for (record, body) in &all {
            let before = writer.upper_bound();
            match writer.append(record, body) {
                Ok(()) => {}
                Err(WriteError::Full(Limit::StoredBytes)) => {
                    full = true;
                    prop_assert_eq!(before, writer.upper_bound());
                    break;
                }
                Err(error) => prop_assert!(false, "{}", error),
            }
        }
        let (bound, records) = (writer.upper_bound(), writer.records());
        prop_assert!(full || records == all.len() as u64);
        if records > 0 {
            let finished = writer.finish(day()).expect("finished");
            prop_assert!(finished.stored_bytes <= bound && bound <= room + 64);
            prop_assert_eq!(verify(&finished.sink).expect("whole").tail.summary.records, records);
        }
    }
}

#[test]
fn each_limit_is_named_and_leaves_the_chunk_whole() {
    let none = ChunkLimits::default();
    let cases = [
        (ChunkLimits { records: 2, ..none }, Limit::Records),
        (
            ChunkLimits {
                raw_bytes: 900,
                ..none
            },
            Limit::RawBytes,
        ),
        (
            ChunkLimits {
                incarnations: 2,
                ..none
            },
            Limit::Incarnations,
        ),
        (
            ChunkLimits {
                stored_bytes: 3_700,
                ..none
            },
            Limit::StoredBytes,
        ),
    ];
    for (limits, expected) in cases {
        let mut writer = writer(limits);
        let limit = (1..).find_map(|number: u8| {
            let mut record = record(u64::from(number), ChunkKind::Pings);
            record.id.incarnation = Incarnation::from_bytes([number; 16]);
            match writer.append(&record, &[number; 200]) {
                Err(WriteError::Full(limit)) => Some(limit),
                other => other.map(|()| None).expect("appended"),
            }
        });
        assert_eq!(limit, Some(expected));
        assert!((2..4).contains(&writer.records()), "{expected:?}");
        verify(&writer.finish(day()).expect("finished").sink).expect("whole");
    }
}

#[test]
fn what_does_not_belong_into_the_chunk_is_refused() {
    let mut writer = writer(ChunkLimits::default());
    let errored = record(1, ChunkKind::Errors);
    let mut late = record(1, ChunkKind::Pings);
    late.submission_date = late.submission_date.plus_days(1);
    assert!(matches!(
        writer.append(&errored, b""),
        Err(WriteError::Misplaced(_))
    ));
    assert!(matches!(writer.append(&late, b""), Err(WriteError::Misplaced(_))));
    let huge = vec![0; chunk::limits::RECORD_RAW_BYTES_MAX];
    let fits_no_chunk = writer.append(&record(1, ChunkKind::Pings), &huge);
    assert!(matches!(fits_no_chunk, Err(WriteError::TooLarge { .. })));
    assert!(matches!(writer.finish(day()), Err(WriteError::Empty)));
}

#[test]
fn the_largest_head_still_makes_a_summary() {
    let mut head = head(ChunkKind::Errors);
    let id = ping::ChunkId {
        incarnation: Incarnation::from_bytes([255; 16]),
        boot: u64::MAX,
        plan: u64::MAX,
    };
    head.replaces = vec![id; 250];
    let mut writer = ChunkWriter::new(Vec::new(), head).expect("a writer");
    for number in 0..500_u16 {
        let mut record = record(u64::MAX - u64::from(number), ChunkKind::Errors);
        let mut bits = [255; 16];
        bits[..2].copy_from_slice(&number.to_be_bytes());
        record.id.incarnation = Incarnation::from_bytes(bits);
        record.error = Some(format!("{number:064}"));
        writer.append(&record, b"").expect("appended");
    }
    let finished = writer.finish(day()).expect("finished");
    assert_eq!(finished.summary.error_reasons.len(), 65);
    verify(&finished.sink).expect("whole");
}

#[test]
fn an_encoder_serves_chunk_after_chunk() {
    let mut encoder = FrameEncoder::new().expect("an encoder");
    let mut seen = Vec::new();
    for round in 0..3 {
        let mut writer = ChunkWriter::with(
            Vec::new(),
            head(ChunkKind::Pings),
            encoder,
            ChunkLimits::default(),
        )
        .expect("a writer");
        writer
            .append(&record(1, ChunkKind::Pings), b"body")
            .expect("appended");
        if round == 1 {
            encoder = writer.abandon().1;
            continue;
        }
        let finished = writer.finish(day()).expect("finished");
        encoder = finished.encoder;
        seen.push(finished.sink);
    }
    assert_eq!(seen[0], seen[1]);
}
