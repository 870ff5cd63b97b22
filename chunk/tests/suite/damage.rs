//! What is broken is found and named; nothing makes a reader panic.

use crate::support::{record, write};
use bytes::Bytes;
use chunk::frame::FINGERPRINTS_MAGIC;
use chunk::{ChunkReader, Part, SeekEntry, SeekTable, Tail, TailError, records, verify};
use index_schema::ChunkKind;
use index_schema::proto::Summary;
use proptest::prelude::*;
use prost::Message;
use sha2::{Digest, Sha256};

fn small() -> Vec<u8> {
    let records: Vec<_> = (1..4)
        .map(|number| (record(number, ChunkKind::Pings), vec![b'x'; 40]))
        .collect();
    write(ChunkKind::Pings, &records).sink
}

/// The same chunk with its summary changed, a frame put before it, digests and seek table made anew.
fn remade(bytes: &[u8], extra: Option<u32>, change: impl FnOnce(&mut Summary)) -> Vec<u8> {
    let tail = Tail::parse(bytes, bytes.len() as u64).expect("a tail");
    let mut made = bytes[..tail.summary_offset as usize].to_vec();
    let mut entries = tail.seek_table.entries.clone();
    entries.pop();
    if let Some(magic) = extra {
        made.extend_from_slice(&magic.to_le_bytes());
        made.extend_from_slice(&3_u32.to_le_bytes());
        made.extend_from_slice(b"new");
        entries.push(SeekEntry { stored: 11, raw: 0 });
    }
    let mut summary = tail.summary;
    summary.sha256 = Sha256::digest(&made).to_vec().into();
    change(&mut summary);
    let mut message = summary.encode_to_vec();
    // A field from the future.
    prost::encoding::string::encode(999, &"later".to_owned(), &mut message);
    let length = message.len() as u32 + 32;
    made.extend_from_slice(&chunk::frame::SUMMARY_MAGIC.to_le_bytes());
    made.extend_from_slice(&length.to_le_bytes());
    made.extend_from_slice(&message);
    made.extend_from_slice(&Sha256::digest(&message));
    entries.push(SeekEntry {
        stored: length + 8,
        raw: 0,
    });
    made.extend_from_slice(&SeekTable { entries }.encode());
    made
}

#[test]
fn a_flip_of_every_single_byte_is_found_and_its_place_is_named() {
    let whole = small();
    let tail = verify(&whole).expect("whole").tail;
    let data = tail.data_frames[0].range();
    let table = whole.len() - SeekTable::encoded_len(3);
    for at in 0..whole.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut flipped = whole.clone();
            flipped[at] ^= mask;
            let error = verify(&flipped).expect_err("a flip");
            let TailError::Damaged(damage) = &error else {
                panic!("byte {at}: {error}")
            };
            let place = at as u64;
            let expected = if data.contains(&place) {
                Part::Data(0)
            } else if tail.ids.contains(&place) {
                Part::Ids
            } else if at < table {
                Part::Summary
            } else {
                Part::SeekTable
            };
            // A length in the seek table may first be missed by what it leads to.
            let named = damage.part == expected || (expected == Part::SeekTable && at < whole.len() - 9);
            assert!(named, "byte {at}, expected {expected}: {error}");
        }
    }
}

#[test]
fn every_truncation_is_found() {
    let whole = small();
    for length in 0..whole.len() {
        assert!(
            matches!(verify(&whole[..length]), Err(TailError::Damaged(_))),
            "{length}"
        );
        assert!(
            matches!(verify(&whole[whole.len() - length..]), Err(TailError::Damaged(_))),
            "{length}"
        );
    }
}

#[test]
fn bytes_before_behind_or_between_are_found() {
    let whole = small();
    for at in 0..=whole.len() {
        let mut longer = whole.clone();
        longer.insert(at, 0);
        assert!(verify(&longer).is_err(), "{at}");
    }
}

#[test]
fn a_frame_of_an_unknown_type_is_passed_over() {
    let whole = remade(&small(), Some(FINGERPRINTS_MAGIC), |_| {});
    let verified = verify(&whole).expect("whole");
    assert_eq!(verified.unknown_frames, 1);
    let mut reader = ChunkReader::new(Bytes::from(whole)).expect("a chunk");
    assert_eq!(reader.ids().expect("ids").count(), 3);
    assert_eq!(records(&reader.frame(0).expect("a frame")).count(), 3);
}

#[test]
fn an_unknown_major_version_is_refused_with_a_clear_word() {
    let error = verify(&remade(&small(), None, |summary| summary.format_major = 2)).expect_err("format 2");
    assert_eq!(error, TailError::UnknownMajor { found: 2 });
    assert!(error.to_string().contains("use a newer highwater"), "{error}");
    verify(&remade(&small(), None, |summary| summary.format_minor = 9))
        .expect("a later minor version is read");
}

#[test]
fn a_summary_that_lies_is_found() {
    let lies: [fn(&mut Summary); 9] = [
        |summary| summary.records += 1,
        |summary| summary.raw_bytes += 1,
        |summary| summary.received_bytes += 1,
        |summary| summary.received_max_us += 1,
        |summary| summary.sequences[0].lowest = 0,
        |summary| summary.record_digest = vec![0; 16].into(),
        |summary| summary.ids_offset += 1,
        |summary| summary.partition[0].value = "20170201".to_owned(),
        |summary| summary.kind = 2,
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        assert!(verify(&remade(&small(), None, lie)).is_err(), "lie {number}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes: Vec<u8>, total: u64) {
        let _ = verify(&bytes);
        let _ = Tail::parse(&bytes, total);
        let _ = chunk::Ids::parse(&bytes);
    }

    #[test]
    fn no_damage_makes_a_reader_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..9)) {
        let whole = small();
        let mut bytes = whole.clone();
        for (at, byte) in changes {
            bytes[at.index(whole.len())] = byte;
        }
        prop_assert_eq!(verify(&bytes).is_ok(), bytes == whole);
        if let Ok(mut reader) = ChunkReader::new(Bytes::from(bytes)) {
            let _ = reader.ids().map(Iterator::count);
            let _ = reader.frame(0).map(|raw| records(&raw).count());
        }
    }
}
