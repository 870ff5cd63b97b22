//! Target: a chunk. Whatever the bytes, they are read or refused; a chunk of which every byte was checked can be read
//! whole, and its ids are those of its records.

use bytes::Bytes;
use chunk::frame::{IDS_MAGIC, SUMMARY_MAGIC};
use chunk::{
    ChunkHead, ChunkReader, ChunkWriter, Header, Ids, RecordHead, RecordIdentity, SeekEntry, SeekTable,
    Summary, Tail, TailError, Verified, records, verify,
};
use index_schema::{ChunkKey, ChunkKind};
use ping::{ChunkId, DimensionSchema, Incarnation, RecordId, Submission, SubmissionDate};
use prost::Message;
use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::xxh3_128;

use crate::parts::{Input, piece};

/// How an input is made a file: else it is one.
const COMPOSED: u8 = 1;
/// Composed, with a summary whose counts are those of the rest.
const COUNTED: u8 = 2;

/// How it is made a file, then a file, or its parts: records, ids, summary.
pub fn target(data: &[u8]) {
    let mut input = Input(data);
    let how = input.byte();
    let file = if how & COMPOSED == 0 {
        input.0.to_vec()
    } else {
        compose(how & COUNTED != 0, input.piece(), input.piece(), input.0)
    };
    check_tails(&file);
    let verified = verify(&file);
    assert!(!matches!(verified, Err(TailError::NeedMore(_))));
    let Ok(mut reader) = ChunkReader::new(Bytes::from(file)) else {
        assert!(verified.is_err(), "what is whole can be read");
        return;
    };
    let identities: Option<Vec<_>> = reader
        .ids()
        .ok()
        .and_then(|ids| ids.collect::<Result<_, _>>().ok());
    let read = read_records(&mut reader);
    if let Ok(Verified { tail, .. }) = verified {
        assert_eq!(
            Some(tail.summary.records),
            read.as_ref().map(|read| read.len() as u64)
        );
        assert_eq!(identities, read, "the ids are those of the records");
        check_key(&tail);
    }
}

/// Who the records are, if all of them can be read.
fn read_records(reader: &mut ChunkReader) -> Option<Vec<RecordIdentity>> {
    let mut found = Vec::new();
    for number in 0..reader.frames().len() {
        let raw = reader.frame(number).ok()?;
        for record in records(&raw) {
            let record = record.ok()?;
            found.push(RecordIdentity::new(record.id, record.received, record.uri));
        }
    }
    Some(found)
}

/// From any part of the end the same is read as from all of it, or more is asked for, which is there.
fn check_tails(file: &[u8]) {
    let total = file.len() as u64;
    let whole = Tail::parse(file, total);
    for cut in [0, 8, 9, 17, 40, 200, file.len() / 2] {
        let tail = &file[file.len() - cut.min(file.len())..];
        match Tail::parse(tail, total) {
            Err(TailError::NeedMore(bytes)) => {
                assert!(bytes > tail.len() as u64 && bytes <= total, "{bytes} of {total}");
            }
            // Of a file that is none, what is wrong with it depends on how much is seen.
            read => assert_eq!(read.ok(), whole.as_ref().ok().cloned()),
        }
    }
}

/// A chunk that is whole may lie under a key that says what it says.
fn check_key(tail: &Tail) {
    let key = ChunkKey {
        prefix: "pings".to_owned(),
        kind: tail.kind,
        partition: tail.partition.clone(),
        id: tail.id,
    };
    if let Ok(read) = ChunkKey::parse(&key.to_string()) {
        assert_eq!(read, key);
    }
}

/// A file of these parts, its digests and lengths right.
fn compose(counted: bool, raw: &[u8], ids: &[u8], message: &[u8]) -> Vec<u8> {
    let data = zstd::encode_all(raw, 1).expect("bytes in memory");
    let ids = digested(IDS_MAGIC, ids);
    let mut message = message.to_vec();
    if counted && let Ok(summary) = Summary::decode(message.as_slice()) {
        message = count(summary, raw, &data, &ids).encode_to_vec();
    }
    let summary = digested(SUMMARY_MAGIC, &message);
    let entry = |bytes: &[u8], raw: usize| SeekEntry {
        stored: u32::try_from(bytes.len()).expect("inputs are short"),
        raw: u32::try_from(raw).expect("inputs are short"),
    };
    let table = SeekTable {
        entries: vec![entry(&data, raw.len()), entry(&ids, 0), entry(&summary, 0)],
    };
    [data, ids, summary, table.encode()].concat()
}

fn count(mut summary: Summary, raw: &[u8], data: &[u8], ids: &[u8]) -> Summary {
    let records = records(raw).take_while(Result::is_ok).count();
    summary.records = records as u64;
    summary.frame_records = vec![u32::try_from(records).expect("inputs are short")];
    summary.raw_bytes = raw.len() as u64;
    summary.data_bytes = data.len() as u64;
    (summary.ids_offset, summary.ids_length) = (data.len() as u64, ids.len() as u64);
    summary.record_digest = xxh3_128(raw).to_be_bytes().to_vec().into();
    summary.sha256 = Sha256::digest([data, ids].concat()).to_vec().into();
    summary
}

/// A skippable frame with this payload and the payload's digest.
pub(crate) fn digested(magic: u32, payload: &[u8]) -> Vec<u8> {
    let digest = Sha256::digest(payload);
    let length = u32::try_from(payload.len() + digest.len()).expect("inputs are short");
    [&magic.to_le_bytes(), &length.to_le_bytes(), payload, &digest].concat()
}

/// The raw records of a small chunk, and the payload of its ids frame without the digest.
pub(crate) fn sample_parts() -> (Vec<u8>, Vec<u8>) {
    let mut reader = ChunkReader::new(Bytes::from(sample(ChunkKind::Pings))).expect("a chunk");
    let raw = reader.frame(0).expect("a frame");
    let ids = &reader.tail().ids;
    let file = sample(ChunkKind::Pings);
    let range = ids.start as usize + 8..ids.end as usize - 32;
    assert!(Ids::parse(&file[ids.start as usize..ids.end as usize]).is_ok());
    (raw, file[range].to_vec())
}

/// A chunk of three records.
fn sample(kind: ChunkKind) -> Vec<u8> {
    let uri = "/submit/telemetry/ce39b608-f595-4c69-b6a6-f7a436604648/main/Firefox/61.0a1/nightly/2017?v=4";
    let date: SubmissionDate = "20170131".parse().expect("a date");
    let submission = Submission::parse(uri).expect("a submission");
    let head = ChunkHead {
        id: ChunkId {
            incarnation: Incarnation::from_bytes([7; 16]),
            boot: 1,
            plan: 2,
        },
        kind,
        partition: DimensionSchema::default().partition(&submission, date),
        writer: "fuzz".to_owned(),
        replaces: Vec::new(),
    };
    let mut writer = ChunkWriter::new(Vec::new(), head).expect("memory");
    for sequence in [1, 2, 9] {
        let record = RecordHead {
            id: RecordId {
                incarnation: Incarnation::from_bytes([sequence as u8 & 1; 16]),
                sequence,
            },
            received: date.start().saturating_add_micros(sequence as i64 * 1_000),
            submission_date: date,
            uri: Bytes::from_static(uri.as_bytes()),
            headers: vec![Header {
                name: "user-agent".to_owned(),
                value: "pingsender/1.0".to_owned(),
            }],
            received_bytes: 30,
            error: (kind == ChunkKind::Errors).then(|| "gzip_cut".to_owned()),
            client_hash: None,
        };
        writer
            .append(&record, br#"{"clientId":"x","payload":{}}"#)
            .expect("room");
    }
    writer
        .finish(date.start().saturating_add_micros(10_000))
        .expect("memory")
        .sink
}

/// Whole chunks, and the same in parts.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for kind in [ChunkKind::Pings, ChunkKind::Errors] {
        let file = sample(kind);
        let mut reader = ChunkReader::new(Bytes::from(file.clone())).expect("a chunk");
        let (raw, tail) = (reader.frame(0).expect("a frame"), reader.tail().clone());
        let ids = &file[tail.ids.start as usize + 8..tail.ids.end as usize - 32];
        let parts = [piece(&raw), piece(ids), tail.summary.encode_to_vec()].concat();
        seeds.push([&[0], file.as_slice()].concat());
        seeds.push([&[COMPOSED], parts.as_slice()].concat());
        seeds.push([&[COMPOSED | COUNTED], parts.as_slice()].concat());
    }
    seeds
}
