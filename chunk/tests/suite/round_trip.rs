//! What is written is read back, by our own reader and by others.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use crate::support::{Full, any_record, any_records, record, write};
use bytes::Bytes;
use chunk::{ChunkReader, FrameDecoder, Header, RecordHead, Tail, TailError, entry_of, records, verify};
use index_schema::proto::PingRecord;
use index_schema::{ChunkKey, ChunkKind};
use ping::{DocumentKey, Submission};
use proptest::prelude::*;
use prost::Message;

/// The record as prost writes it: the slow, obvious way.
fn by_prost((head, body): &Full) -> PingRecord {
    PingRecord {
        incarnation: Bytes::copy_from_slice(head.id.incarnation.as_bytes()),
        sequence: head.id.sequence,
        received_us: head.received.as_micros(),
        submission_date: head.submission_date.as_yyyymmdd(),
        uri: head.uri.clone(),
        headers: head.headers.clone(),
        received_bytes: head.received_bytes,
        error: head.error.clone().unwrap_or_default(),
        client_hash: head
            .client_hash
            .map_or_else(Bytes::new, |hash| Bytes::copy_from_slice(hash.as_bytes())),
        body: Bytes::copy_from_slice(body),
    }
}

fn stream(all: &[Full]) -> Vec<u8> {
    all.iter()
        .flat_map(|record| by_prost(record).encode_length_delimited_to_vec())
        .collect()
}

/// Five records over three frames: two small, one larger than a frame, two small.
fn over_frames() -> Vec<Full> {
    [100, 5_000_000, 9_000_000, 3, 0]
        .into_iter()
        .enumerate()
        .map(|(number, length)| {
            let body = (0..length).map(|at: usize| (at / 1_000) as u8).collect();
            (record(number as u64, ChunkKind::Pings), body)
        })
        .collect()
}

proptest! {
    #[test]
    fn any_records_are_read_back((kind, all) in any_records(12, 300)) {
        let written = write(kind, &all);
        let bytes = Bytes::from(written.sink);
        let mut reader = ChunkReader::new(bytes.clone()).expect("a chunk");
        let mut back: Vec<(RecordHead, Vec<u8>)> = Vec::new();
        for number in 0..reader.frames().len() {
            let raw = reader.frame(number).expect("a frame");
            for record in records(&raw) {
                let record = record.expect("a record");
                back.push((record.to_head(), record.body.to_vec()));
            }
        }
        prop_assert_eq!(&back, &all);
        let digest = xxhash_rust::xxh3::xxh3_128(&stream(&all)).to_be_bytes();
        prop_assert_eq!(written.record_digest, digest);
        for (listed, (head, _)) in reader.ids().expect("ids").zip(&all) {
            let listed = listed.expect("an id");
            let submission = Submission::parse(std::str::from_utf8(&head.uri).expect("UTF-8")).ok();
            prop_assert_eq!(listed.id, head.id);
            prop_assert_eq!(listed.received, head.received);
            prop_assert_eq!(listed.key(), submission.as_ref().and_then(DocumentKey::of));
        }
        prop_assert_eq!(&verify(&bytes).expect("whole").tail, reader.tail());
    }

    #[test]
    fn a_record_is_written_as_prost_writes_it(full in any_record(ChunkKind::Errors, 300)) {
        let mut ours = Vec::new();
        full.0.append_to(&full.1, &mut ours);
        prop_assert_eq!(ours.len(), full.0.stream_len(full.1.len()));
        prop_assert_eq!(ours, by_prost(&full).encode_length_delimited_to_vec());
    }

    #[test]
    fn a_field_from_the_future_is_passed_over_and_kept(full in any_record(ChunkKind::Pings, 30), tag in 16_u32..99, text: String) {
        let mut message = by_prost(&full).encode_to_vec();
        prost::encoding::string::encode(tag, &text, &mut message);
        prost::encoding::fixed64::encode(tag + 1, &7, &mut message);
        let mut raw = Vec::new();
        prost::encoding::encode_varint(message.len() as u64, &mut raw);
        raw.extend_from_slice(&message);
        let found: Vec<_> = records(&raw).collect::<Result<_, _>>().expect("a record");
        prop_assert_eq!((found[0].to_head(), found[0].body.to_vec()), full);
        prop_assert_eq!(found[0].encoded, message);
    }

    #[test]
    fn no_bytes_make_the_record_reader_panic(raw: Vec<u8>) {
        for record in records(&raw) {
            let _ = record.map(|record| record.headers().count());
        }
    }
}

#[test]
fn every_frame_decodes_alone() {
    let all = over_frames();
    let bytes = write(ChunkKind::Pings, &all).sink;
    let tail = Tail::parse(&bytes[bytes.len() - 2_000..], bytes.len() as u64).expect("a tail");
    assert_eq!(
        tail.data_frames
            .iter()
            .map(|frame| frame.records)
            .collect::<Vec<_>>(),
        [2, 1, 2]
    );
    for frame in tail.data_frames.iter().rev() {
        let stored = &bytes[frame.range().start as usize..frame.range().end as usize];
        let mut raw = Vec::new();
        FrameDecoder::new()
            .decode(frame, stored, &mut raw)
            .expect("a frame");
        let first = frame.first_record as usize;
        let expected = &all[first..first + frame.records as usize];
        assert_eq!(raw, stream(expected));
    }
}

#[test]
fn zstd_decompresses_the_whole_file_to_the_records() {
    let all = over_frames();
    let bytes = write(ChunkKind::Pings, &all).sink;
    let mut ours = Vec::new();
    zstd::stream::read::Decoder::new(bytes.as_slice())
        .and_then(|mut decoder| decoder.read_to_end(&mut ours))
        .expect("the library's streaming decoder reads it");
    assert!(ours == stream(&all));
    let command = Command::new("zstd")
        .arg("-dc")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut command) = command else {
        println!("left out: there is no zstd command");
        return;
    };
    let mut input = command.stdin.take().expect("piped");
    let feeder = std::thread::Builder::new()
        .spawn(move || input.write_all(&bytes))
        .expect("a thread");
    let output = command.wait_with_output().expect("it ends");
    feeder.join().expect("no panic").expect("it reads all");
    assert!(output.status.success() && output.stdout == stream(&all));
}

#[test]
fn the_end_of_a_chunk_gives_its_index_entry() {
    let all: Vec<Full> = (5..9)
        .map(|number| (record(number, ChunkKind::Errors), vec![1; 10]))
        .collect();
    let written = write(ChunkKind::Errors, &all);
    let total = written.sink.len() as u64;
    assert_eq!(total, written.stored_bytes);
    let tail = Tail::parse(&written.sink, total).expect("a tail");
    let head = crate::support::head(ChunkKind::Errors);
    let key = ChunkKey {
        prefix: "pings".to_owned(),
        kind: head.kind,
        partition: head.partition,
        id: head.id,
    };
    let entry = entry_of(&key.to_string(), &tail, total).expect("an entry");
    assert_eq!(
        (entry.records, entry.stored_bytes, entry.received_bytes),
        (4, total, 4_026)
    );
    assert_eq!(
        (entry.received_min, entry.received_max),
        (all[0].0.received, all[3].0.received)
    );
    let reasons: Vec<_> = entry
        .error_reasons
        .iter()
        .map(|(reason, count)| (reason.as_str(), *count))
        .collect();
    assert_eq!(reasons, [("reason_0", 1), ("reason_1", 1), ("reason_2", 2)]);
    let mut elsewhere = key.clone();
    elsewhere.id.plan += 1;
    let mut otherwise = key.clone();
    otherwise.kind = ChunkKind::Pings;
    let mut apart = key;
    apart.partition.set(ping::Dimension::AppName, "Fennec");
    for (wrong, what) in [(elsewhere, "chunk id"), (otherwise, "kind"), (apart, "partition")] {
        let error = entry_of(&wrong.to_string(), &tail, total).expect_err(what);
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn a_reader_asks_for_as_much_of_the_end_as_it_needs() {
    let bytes = write(ChunkKind::Pings, &over_frames()).sink;
    let total = bytes.len() as u64;
    let whole = Tail::parse(&bytes, total).expect("a tail");
    for given in 0..bytes.len().min(3_000) {
        let mut length = given;
        let mut asked = 0;
        let parsed = loop {
            match Tail::parse(&bytes[bytes.len() - length..], total) {
                Err(TailError::NeedMore(more)) => {
                    assert!(more > length as u64 && more <= total);
                    length = more as usize;
                    asked += 1;
                }
                other => break other.expect("a tail"),
            }
        };
        assert!(asked <= 3);
        assert_eq!(parsed, whole);
    }
}

#[test]
fn headers_keep_their_order_and_may_be_empty() {
    let mut head = record(1, ChunkKind::Pings);
    head.headers = ["b", "a", "b"]
        .map(|name| Header {
            name: name.to_owned(),
            value: String::new(),
        })
        .to_vec();
    let mut raw = Vec::new();
    head.append_to(b"", &mut raw);
    let found = records(&raw).next().expect("one").expect("a record");
    assert_eq!(
        found.headers().collect::<Vec<_>>(),
        [("b", ""), ("a", ""), ("b", "")]
    );
}
