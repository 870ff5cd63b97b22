//! Records to write chunks of, for the tests beside.

use bytes::Bytes;
use chunk::{ChunkHead, ChunkLimits, ChunkWriter, Finished, FrameEncoder, Header, RecordHead};
use index_schema::ChunkKind;
use ping::{ChunkId, ClientHash, Incarnation, Partition, RecordId, Timestamp};
use proptest::prelude::*;

/// A record with its body.
pub(crate) type Full = (RecordHead, Vec<u8>);

/// The first microsecond of the day that all records here are of.
pub(crate) fn day() -> Timestamp {
    "20170131"
        .parse::<ping::SubmissionDate>()
        .expect("a date")
        .start()
}

/// The partition that all records here are of.
pub(crate) fn partition() -> Partition {
    let values = [
        "20170131",
        "telemetry",
        "4",
        "main",
        "Firefox",
        "nightly",
        "54.0a1",
        "20170130030205",
    ];
    Partition::new(values.map(str::to_owned))
}

/// The head of a chunk.
pub(crate) fn head(kind: ChunkKind) -> ChunkHead {
    ChunkHead {
        id: ChunkId {
            incarnation: Incarnation::from_bytes([7; 16]),
            boot: 1,
            plan: 2,
        },
        kind,
        partition: partition(),
        writer: "highwater test".to_owned(),
        replaces: Vec::new(),
    }
}

/// A record that is told by its number only.
pub(crate) fn record(sequence: u64, kind: ChunkKind) -> RecordHead {
    let received = day().saturating_add_micros(i64::try_from(sequence % 86_400).expect("small") * 1_000_000);
    RecordHead {
        id: RecordId {
            incarnation: Incarnation::from_bytes([7; 16]),
            sequence,
        },
        received,
        submission_date: received.submission_date(),
        uri: Bytes::from(format!(
            "/submit/telemetry/ce39b608-f595-4c69-b6a6-{sequence:012x}/main/Firefox/54.0a1/nightly/20170130030205?v=4"
        )),
        headers: vec![
            Header {
                name: "date".to_owned(),
                value: "Tue, 31 Jan 2017 00:00:01 GMT".to_owned(),
            },
            Header {
                name: "dnt".to_owned(),
                value: String::new(),
            },
        ],
        received_bytes: 1_000 + sequence % 1_000,
        error: (kind == ChunkKind::Errors).then(|| format!("reason_{}", sequence % 3)),
        client_hash: None,
    }
}

/// Writes a chunk.
pub(crate) fn write(kind: ChunkKind, records: &[Full]) -> Finished<Vec<u8>> {
    let encoder = FrameEncoder::new().expect("an encoder");
    let mut writer =
        ChunkWriter::with(Vec::new(), head(kind), encoder, ChunkLimits::default()).expect("a writer");
    for (record, body) in records {
        writer.append(record, body).expect("appended");
    }
    writer
        .finish(day().saturating_add_micros(86_400_000_000))
        .expect("finished")
}

/// Any record of a kind, with a body of at most `body_max` bytes.
pub(crate) fn any_record(kind: ChunkKind, body_max: usize) -> impl Strategy<Value = Full> {
    let id = (any::<u8>().prop_map(|byte| byte % 4), any::<u64>());
    let texts = (
        "(/submit/telemetry/[0-9a-f-]{0,40}/main|\\PC{0,30})",
        "[a-z_]{1,64}",
    );
    let headers = prop::collection::vec(("[a-z-]{0,12}", "\\PC{0,20}"), 0..4);
    let body = prop::collection::vec(any::<u8>(), 0..body_max);
    (id, 0..86_400_000_000_i64, texts, headers, any::<u32>(), body).prop_map(
        move |((bits, sequence), micros, (uri, error), headers, received_bytes, body)| {
            let received = day().saturating_add_micros(micros);
            let header = |(name, value)| Header { name, value };
            let record = RecordHead {
                id: RecordId {
                    incarnation: Incarnation::from_bytes([bits; 16]),
                    sequence,
                },
                received,
                submission_date: received.submission_date(),
                uri: Bytes::from(uri),
                headers: headers.into_iter().map(header).collect(),
                received_bytes: u64::from(received_bytes),
                error: (kind == ChunkKind::Errors).then_some(error),
                client_hash: (sequence % 3 == 0).then(|| ClientHash::from_bytes([bits ^ 0x5a; 16])),
            };
            (record, body)
        },
    )
}

/// A kind and some records of it.
pub(crate) fn any_records(count: usize, body_max: usize) -> impl Strategy<Value = (ChunkKind, Vec<Full>)> {
    prop_oneof![Just(ChunkKind::Pings), Just(ChunkKind::Errors)].prop_flat_map(move |kind| {
        (
            Just(kind),
            prop::collection::vec(any_record(kind, body_max), 1..count),
        )
    })
}
