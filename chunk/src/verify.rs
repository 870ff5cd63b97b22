//! Checks every byte of a chunk: that its frames, ids, summary and seek table say the same, and are what was written.

use index_schema::ChunkKind;
use index_schema::proto::{SequenceRange, Summary};
use ping::{Dimension, Incarnation, Timestamp};
use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::Xxh3;

use crate::RecordIdentity;
use crate::counts::Counts;
use crate::damage::{Damage, Part};
use crate::frame::{self, DATA_MAGIC, IDS_MAGIC};
use crate::ids::Ids;
use crate::reader::FrameDecoder;
use crate::record::{RecordRef, records};
use crate::seek::{SeekEntry, SeekTable};
use crate::tail::{DataFrame, Tail, TailError};

/// A chunk of which every byte was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// What its end says.
    pub tail: Tail,
    /// Skippable frames of types that are not known here: passed over, but covered by the digest.
    pub unknown_frames: usize,
}

/// Checks a whole chunk. A chunk in which any byte was changed fails, and the error names the part that is broken.
///
/// # Errors
/// [`TailError::UnknownMajor`] for a later format, else the first damage found. Never [`TailError::NeedMore`].
pub fn verify(bytes: &[u8]) -> Result<Verified, TailError> {
    let tail = match Tail::parse(bytes, bytes.len() as u64) {
        Err(TailError::NeedMore(_)) => {
            return Err(Damage::new(Part::SeekTable, "the file is shorter than any chunk").into());
        }
        other => other?,
    };
    let unknown_frames = check_frames(bytes, &tail)?;
    let mut found = Found::default();
    let mut decoder = FrameDecoder::new();
    let mut raw = Vec::new();
    let ids_frame = &bytes[index(tail.ids.start)..index(tail.ids.end)];
    let mut ids = Ids::parse(ids_frame).map_err(|error| Damage::new(Part::Ids, error.to_string()))?;
    for frame in &tail.data_frames {
        let range = frame.range();
        decoder.decode(frame, &bytes[index(range.start)..index(range.end)], &mut raw)?;
        found.add_frame(frame, &raw, &mut ids, &tail)?;
    }
    if ids.next().is_some() {
        return Err(Damage::new(Part::Ids, "it has more records than the data frames").into());
    }
    found.compare(&tail.summary)?;
    let before = &bytes[..index(tail.summary_offset)];
    if Sha256::digest(before).as_slice() != tail.summary.sha256 {
        let what = "the bytes before it are not those of its SHA-256, though each frame reads well";
        return Err(Damage::new(Part::Summary, what).into());
    }
    Ok(Verified { tail, unknown_frames })
}

/// Walks the frames as they lie, and compares the seek table computed from them byte for byte.
fn check_frames(bytes: &[u8], tail: &Tail) -> Result<usize, Damage> {
    let end = index(tail.summary_offset);
    let mut computed = SeekTable::default();
    let (mut at, mut unknown) = (0, 0);
    for (number, listed) in tail.seek_table.entries.iter().enumerate() {
        if at >= end {
            break;
        }
        let part = match tail.data_frames.get(number) {
            Some(_) => Part::Data(number),
            None if at as u64 == tail.ids.start => Part::Ids,
            None => Part::Unknown(number),
        };
        let damage = |what: &str| Damage::new(part, what);
        let magic = frame::u32_at(bytes, at).ok_or_else(|| damage("it is cut"))?;
        let is_of_its_type = match part {
            Part::Data(_) => magic == DATA_MAGIC,
            Part::Ids => magic == IDS_MAGIC,
            _ => frame::is_skippable(magic) && magic != IDS_MAGIC,
        };
        if !is_of_its_type {
            return Err(damage("it does not begin with the magic number of its type"));
        }
        let stored = frame_len(&bytes[at..end], magic).ok_or_else(|| damage("its length cannot be told"))?;
        if stored != listed.stored as usize {
            return Err(damage("it has not the length that the seek table says"));
        }
        unknown += usize::from(matches!(part, Part::Unknown(_)));
        computed.entries.push(SeekEntry {
            stored: listed.stored,
            raw: listed.raw,
        });
        at += stored;
    }
    let summary_len = bytes.len() - SeekTable::encoded_len(computed.entries.len() + 1) - end;
    let stored = u32::try_from(summary_len).unwrap_or(u32::MAX);
    computed.entries.push(SeekEntry { stored, raw: 0 });
    if !bytes[end + summary_len..].eq(&computed.encode()) {
        return Err(Damage::new(
            Part::SeekTable,
            "it is not the one computed from the frames",
        ));
    }
    Ok(unknown)
}

fn frame_len(bytes: &[u8], magic: u32) -> Option<usize> {
    if frame::is_skippable(magic) {
        let length = frame::u32_at(bytes, 4)? as usize + frame::SKIPPABLE_HEADER_BYTES;
        return (length <= bytes.len()).then_some(length);
    }
    zstd::zstd_safe::find_frame_compressed_size(bytes).ok()
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("it lies inside bytes in memory")
}

/// What the records say, to be compared with the summary.
#[derive(Default)]
struct Found {
    digest: Xxh3,
    counts: Counts,
    sequences: Vec<(Incarnation, u64, u64)>,
}

impl Found {
    fn add_frame(
        &mut self,
        frame: &DataFrame,
        raw: &[u8],
        ids: &mut Ids<'_>,
        tail: &Tail,
    ) -> Result<(), Damage> {
        let part = Part::Data(frame.number);
        self.digest.update(raw);
        let mut count = 0;
        for record in records(raw) {
            let record = record.map_err(|error| Damage::new(part, error.to_string()))?;
            check_place(&record, tail).map_err(|what| Damage::new(part, what))?;
            let identity = RecordIdentity::new(record.id, record.received, record.uri);
            match ids.next() {
                Some(Ok(listed)) if listed == identity => {}
                Some(Err(error)) => return Err(Damage::new(Part::Ids, error.to_string())),
                _ => {
                    let what = format!("it does not have record {} in its place", record.id);
                    return Err(Damage::new(Part::Ids, what));
                }
            }
            self.add(&record);
            count += 1;
        }
        if count != frame.records {
            return Err(Damage::new(
                part,
                format!("it has {count} records, the summary says {}", frame.records),
            ));
        }
        Ok(())
    }

    fn add(&mut self, record: &RecordRef<'_>) {
        self.counts.add(
            record.encoded.len(),
            record.received,
            record.received_bytes,
            record.error,
        );
        let sequence = record.id.sequence;
        match self
            .sequences
            .iter_mut()
            .find(|(incarnation, ..)| *incarnation == record.id.incarnation)
        {
            Some((_, lowest, highest)) => {
                *lowest = sequence.min(*lowest);
                *highest = sequence.max(*highest);
            }
            None => self.sequences.push((record.id.incarnation, sequence, sequence)),
        }
    }

    fn compare(self, summary: &Summary) -> Result<(), Damage> {
        let sequence = |(incarnation, lowest, highest): &(Incarnation, u64, u64)| SequenceRange {
            incarnation: incarnation.as_bytes().to_vec().into(),
            lowest: *lowest,
            highest: *highest,
        };
        let received = (
            Timestamp::from_micros(summary.received_min_us),
            Timestamp::from_micros(summary.received_max_us),
        );
        let equal = [
            (
                "record digest",
                self.digest.digest128().to_be_bytes().as_slice() == summary.record_digest,
            ),
            (
                "received bytes",
                self.counts.received_bytes == summary.received_bytes,
            ),
            ("receive times", self.counts.received == Some(received)),
            (
                "sequences",
                self.sequences
                    .iter()
                    .map(sequence)
                    .eq(summary.sequences.iter().cloned()),
            ),
            (
                "reasons of errors",
                self.counts.error_reasons() == summary.error_reasons,
            ),
        ];
        match equal.iter().find(|(_, equal)| !equal) {
            Some((what, _)) => Err(Damage::new(
                Part::Summary,
                format!("its {what} are not those of the records"),
            )),
            None => Ok(()),
        }
    }
}

fn check_place(record: &RecordRef<'_>, tail: &Tail) -> Result<(), String> {
    if record.submission_date.to_string() != tail.partition.get(Dimension::SubmissionDate) {
        return Err(format!("record {} is of another submission date", record.id));
    }
    if record.error.is_some() != (tail.kind == ChunkKind::Errors) {
        return Err(format!("record {} is of the other kind", record.id));
    }
    Ok(())
}
