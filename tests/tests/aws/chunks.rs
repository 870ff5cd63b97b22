//! Small chunks, as an edge writes them.

use bytes::Bytes;
use chunk::{ChunkHead, ChunkWriter, RecordHead};
use index_schema::{ChunkKey, ChunkKind};
use ping::{ChunkId, Incarnation, Partition, RecordId, SubmissionDate};

/// Records of a small chunk.
pub(crate) const RECORDS: u64 = 3;

fn head(plan: u64) -> ChunkHead {
    // A space, a percent sign, a plus and a letter beyond ASCII: what notifications encode in two ways.
    let values = [
        "20170131",
        "telemetry",
        "4",
        "main",
        "Fire fox+%ü",
        "nightly",
        "54.0a1",
        "20170130030205",
    ];
    ChunkHead {
        id: ChunkId {
            incarnation: Incarnation::from_bytes([7; 16]),
            boot: 1,
            plan,
        },
        kind: ChunkKind::Pings,
        partition: Partition::new(values.map(str::to_owned)),
        writer: "test".to_owned(),
        replaces: Vec::new(),
    }
}

/// The key of the chunk of this plan.
pub(crate) fn key(plan: u64) -> String {
    let ChunkHead {
        id, kind, partition, ..
    } = head(plan);
    ChunkKey {
        prefix: "pings".to_owned(),
        kind,
        partition,
        id,
    }
    .to_string()
}

/// Its bytes.
pub(crate) fn bytes(plan: u64) -> Bytes {
    let date: SubmissionDate = "20170131".parse().expect("a date");
    let mut writer = ChunkWriter::new(Vec::new(), head(plan)).expect("a writer");
    for number in 0..RECORDS {
        let record = RecordHead {
            id: RecordId {
                incarnation: Incarnation::from_bytes([7; 16]),
                sequence: plan * RECORDS + number,
            },
            received: date.start(),
            submission_date: date,
            uri: Bytes::from_static(b"/submit/telemetry/x/main"),
            headers: Vec::new(),
            received_bytes: 10,
            error: None,
            client_hash: None,
        };
        writer.append(&record, b"{}").expect("appended");
    }
    writer.finish(date.start()).expect("finished").sink.into()
}
