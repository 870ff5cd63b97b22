//! Target: the log at a start. A last segment with any bytes, or segments whose frames have right checksums and any content,
//! then flips. Frames are read as written; recovery ends; what one start finds, the next one does not lose.

use std::path::PathBuf;
use std::sync::Arc;

use disk::{Disk, SimulatedDisk};
use edge::fuzzing::{ReadFrame, Recovered, SegmentBytes, read_segment, recover, segment_path};
use edge::read_counts;
use index_schema::proto::{LogState, PingRecord, Plan, PlanDone, RecordRun};
use ping::Incarnation;
use prost::Message;

use crate::parts::{Input, piece};

/// Steps of an input: below 5 a frame of that kind with its payload, then these; others end it.
const SYNC: u8 = 5;
const NEXT_SEGMENT: u8 = 6;
const FLIP: u8 = 7;

const OWN: Incarnation = Incarnation::from_bytes([7; 16]);

/// 0 and a file, or another byte and steps.
pub fn target(data: &[u8]) {
    let mut input = Input(data);
    let (segments, frames) = if input.byte() == 0 {
        (vec![input.0.to_vec()], None)
    } else {
        written(input)
    };
    let disk = SimulatedDisk::new().shared();
    disk.create_dir(&dir()).expect("a folder");
    for (number, bytes) in segments.iter().enumerate() {
        let file = disk
            .create_new(&segment_path(&dir(), number as u32 + 1))
            .expect("a new file");
        file.write_all_at(bytes, 0).expect("room");
        file.sync().expect("no fault");
    }
    disk.sync_dir(&dir()).expect("no fault");
    let last = segment_path(&dir(), segments.len() as u32);
    let read = read_segment(disk.open_read(&last).expect("there").as_ref()).expect("no fault");
    if let Some(frames) = frames {
        assert_eq!(read, Some((frames, 0)), "frames are read as they were written");
    }
    let _ = read_counts(disk.as_ref(), &dir(), OWN);
    start_twice(&disk);
}

fn dir() -> PathBuf {
    PathBuf::from("/log")
}

fn start(disk: &Arc<dyn Disk>, seed: u64) -> Option<Recovered> {
    recover(disk, dir(), PathBuf::from("/damaged"), OWN, seed).ok()
}

/// A start that is ended at once, and another.
fn start_twice(disk: &Arc<dyn Disk>) {
    let Some(first) = start(disk, 1) else { return };
    let second = start(disk, 2).expect("what could be opened can be opened again");
    let (before, after) = (all(&first), all(&second));
    assert!(
        before.iter().all(|ping| after.binary_search(ping).is_ok()),
        "lost by the second start: {before:?}, then {after:?}"
    );
    assert!(second.next_sequence >= first.next_sequence && second.chunked >= first.chunked);
    if let Ok(counts) = read_counts(disk.as_ref(), &dir(), OWN) {
        assert_eq!(
            (counts.waiting, counts.chunked),
            (after.len() as u64, second.chunked)
        );
    }
}

/// All pings that are in no chunk, sorted.
fn all(found: &Recovered) -> Vec<(u64, i64)> {
    let planned = found.planned.iter().flat_map(|(_, pings)| pings);
    let mut all: Vec<_> = found.waiting.iter().chain(planned).copied().collect();
    all.sort_unstable();
    all
}

/// The segments that steps write, and the last one's frames, unless bytes were flipped.
fn written(mut input: Input<'_>) -> (Vec<Vec<u8>>, Option<Vec<ReadFrame>>) {
    let salt = |number: usize| [number as u8 + 1; 16];
    let (mut segments, mut segment) = (Vec::new(), SegmentBytes::new(salt(0)));
    let (mut frames, mut flipped, mut synced) = (Vec::new(), false, 0);
    while !input.is_empty() && segments.len() < 8 {
        match input.byte() {
            kind @ 0..SYNC => {
                let (offset, payload) = (segment.bytes.len() as u64, input.piece());
                let vouched = if kind == 0 {
                    end_of(&segment, payload)
                } else {
                    synced
                };
                segment.push(kind, vouched, payload);
                frames.push((kind, offset, payload.to_vec()));
            }
            SYNC => synced = segment.bytes.len() as u64,
            NEXT_SEGMENT => {
                let state = LogState {
                    incarnation: OWN.as_bytes().to_vec().into(),
                    previous_segment: segments.len() as u64 + 1,
                    previous_valid_length: segment.bytes.len() as u64,
                    ..LogState::default()
                };
                let next = SegmentBytes::new(salt(segments.len() + 1));
                segments.push(std::mem::replace(&mut segment, next).bytes);
                let state = state.encode_to_vec();
                frames = vec![(0, segment.bytes.len() as u64, state.clone())];
                synced = end_of(&segment, &state);
                segment.push(0, synced, &state);
            }
            FLIP => {
                let at = input.short() % segment.bytes.len();
                segment.bytes[at] ^= input.byte().max(1);
                flipped = true;
            }
            _ => break,
        }
    }
    segments.push(segment.bytes);
    (segments, (!flipped).then_some(frames))
}

/// Where the next frame will end: a state vouches for itself, since a segment was synced before it got its name.
fn end_of(segment: &SegmentBytes, payload: &[u8]) -> u64 {
    (segment.bytes.len() + 24 + payload.len()).next_multiple_of(8) as u64
}

/// A record of our log with this number, encoded.
pub(crate) fn ping(sequence: u64) -> Vec<u8> {
    let record = PingRecord {
        incarnation: OWN.as_bytes().to_vec().into(),
        sequence,
        received_us: 1_485_820_800_000_000 + sequence as i64,
        submission_date: 20_170_131,
        uri: "/submit/telemetry/x/main".into(),
        body: "{}".into(),
        ..PingRecord::default()
    };
    record.encode_to_vec()
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind], piece(payload).as_slice()].concat()
}

/// Logs as edges write them: pings, a plan that is done and one that is not, one given up, copies; in one segment and in
/// three; whole and damaged.
pub fn seeds() -> Vec<Vec<u8>> {
    let state = LogState {
        incarnation: OWN.as_bytes().to_vec().into(),
        boot: 1,
        next_sequence: 1,
        next_plan: 1,
        ..LogState::default()
    };
    let plan = |plan, first, steps: Vec<i64>| Plan {
        plan,
        key: "pings/v1/x.zst".to_owned(),
        records: steps.len() as u64 + 1,
        runs: vec![RecordRun {
            incarnation: OWN.as_bytes().to_vec().into(),
            first,
            steps,
        }],
        ..Plan::default()
    };
    let done = |plan, records| PlanDone { plan, records }.encode_to_vec();
    let pings = |range: std::ops::Range<u64>| range.flat_map(|n| frame(1, &ping(n))).collect::<Vec<_>>();
    let begin = [&[1][..], &frame(0, &state.encode_to_vec()), &pings(1..5), &[SYNC]].concat();
    let planned = [
        &begin[..],
        &frame(2, &plan(1, 1, vec![1]).encode_to_vec()),
        &frame(3, &done(1, 2)),
        &frame(2, &plan(2, 3, vec![1]).encode_to_vec()),
        &[SYNC],
        &pings(5..7),
    ]
    .concat();
    let copied = [
        &planned[..],
        &[NEXT_SEGMENT],
        &frame(3, &done(2, 0)),
        &frame(4, &ping(5)),
        &[NEXT_SEGMENT],
        &pings(7..9),
    ]
    .concat();
    let damaged = [&planned[..], &[FLIP, 90, 0, 1]].concat();
    let mut file = SegmentBytes::new([1; 16]);
    file.push(0, 0, &state.encode_to_vec());
    file.push(1, 0, &ping(1));
    let file = [&[0], file.bytes.as_slice()].concat();
    vec![begin, planned, copied, damaged, file]
}
