//! The ids frame: who each record is, without its body. Written and read.
//!
//! Payload: the version (1), the incarnations (their number, then 16 bytes each), the number of records, the records,
//! and last the SHA-256 of all before it. A record: 16 bytes of [`ping::document_hash`], one byte of flags (bit 0: the
//! id makes a [`ping::DocumentKey`]; the others are 0, readers ignore them), the incarnation's place in the table, the
//! difference of its sequence to the one before of that incarnation (at first 0), and the difference of its receive
//! time in microseconds to the record before (at first 0). Numbers are varints, differences zigzag and wrapping.

use std::collections::HashMap;

use ping::{DocumentKey, Incarnation, RecordId, Submission, Timestamp, document_hash};
use sha2::{Digest, Sha256};

use crate::frame::{self, IDS_MAGIC};
use crate::wire;

const VERSION: u64 = 1;
const MAKES_KEY: u8 = 1;

/// Who a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordIdentity {
    /// The record's permanent identity.
    pub id: RecordId,
    /// When it was received.
    pub received: Timestamp,
    /// [`ping::document_hash`] of its URI; zeros when the URI is no submission.
    pub document_hash: [u8; 16],
    /// Whether the document id is one by which repeats are known.
    pub makes_key: bool,
}

/// The lowest and highest sequence of one incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SequenceRange {
    pub(crate) incarnation: Incarnation,
    pub(crate) lowest: u64,
    pub(crate) highest: u64,
    last: u64,
}

/// The ids frame is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdsError {
    /// It has another version.
    #[error("the ids frame has version {0}, this program reads 1: use a newer highwater")]
    Version(u64),
    /// It is damaged.
    #[error("the ids frame is damaged: {0}")]
    Damaged(&'static str),
}

/// The identities of a chunk's records, in their order.
#[derive(Clone, Debug)]
pub struct Ids<'a> {
    incarnations: Vec<(Incarnation, u64)>,
    left: u64,
    received: i64,
    rest: &'a [u8],
}

impl RecordIdentity {
    /// The identity of a record with this URI.
    pub fn new(id: RecordId, received: Timestamp, uri: &[u8]) -> Self {
        let submission = str::from_utf8(uri)
            .ok()
            .and_then(|uri| Submission::parse(uri).ok());
        Self {
            id,
            received,
            document_hash: submission.as_ref().map(document_hash).unwrap_or_default(),
            makes_key: submission.as_ref().and_then(DocumentKey::of).is_some(),
        }
    }

    /// The key by which repeats of its document are known.
    pub fn key(&self) -> Option<DocumentKey> {
        self.makes_key
            .then(|| DocumentKey::from_bytes(self.document_hash))
    }
}

/// Gathers identities while a chunk is written: about 21 bytes each.
#[derive(Debug, Default)]
pub(crate) struct IdsWriter {
    ranges: Vec<SequenceRange>,
    places: HashMap<Incarnation, usize>,
    encoded: Vec<u8>,
    records: u64,
    received: i64,
}

impl IdsWriter {
    pub(crate) fn push(&mut self, identity: &RecordIdentity) {
        let RecordIdentity {
            id,
            received,
            document_hash,
            makes_key,
        } = identity;
        let place = *self.places.entry(id.incarnation).or_insert(self.ranges.len());
        if place == self.ranges.len() {
            self.ranges.push(SequenceRange {
                incarnation: id.incarnation,
                lowest: id.sequence,
                highest: id.sequence,
                last: 0,
            });
        }
        let range = &mut self.ranges[place];
        self.encoded.extend_from_slice(document_hash);
        self.encoded.push(if *makes_key { MAKES_KEY } else { 0 });
        wire::put_varint(place as u64, &mut self.encoded);
        wire::put_varint(
            wire::zigzag(id.sequence.wrapping_sub(range.last) as i64),
            &mut self.encoded,
        );
        let step = received.as_micros().wrapping_sub(self.received);
        wire::put_varint(wire::zigzag(step), &mut self.encoded);
        range.last = id.sequence;
        range.lowest = range.lowest.min(id.sequence);
        range.highest = range.highest.max(id.sequence);
        self.received = received.as_micros();
        self.records += 1;
    }

    /// How many incarnations there are, with this one.
    pub(crate) fn incarnations_with(&self, incarnation: Incarnation) -> usize {
        self.ranges.len() + usize::from(!self.places.contains_key(&incarnation))
    }

    /// At least the bytes of the frame that [`Self::frame`] will make, if one record more is pushed.
    pub(crate) fn upper_bound(&self) -> u64 {
        (self.encoded.len() + (self.ranges.len() + 1) * 16 + 16 + 1 + 10 * 3 + 8 + 10 * 3 + 32) as u64
    }

    pub(crate) fn ranges(&self) -> &[SequenceRange] {
        &self.ranges
    }

    /// The whole frame. `None` when it is larger than a frame can be.
    pub(crate) fn frame(&self) -> Option<Vec<u8>> {
        let mut payload = Vec::with_capacity(self.encoded.len() + self.ranges.len() * 16 + 64);
        wire::put_varint(VERSION, &mut payload);
        wire::put_varint(self.ranges.len() as u64, &mut payload);
        for range in &self.ranges {
            payload.extend_from_slice(range.incarnation.as_bytes());
        }
        wire::put_varint(self.records, &mut payload);
        payload.extend_from_slice(&self.encoded);
        let digest = Sha256::digest(&payload);
        frame::skippable(IDS_MAGIC, &[&payload, &digest])
    }
}

impl<'a> Ids<'a> {
    /// Reads a whole ids frame, its header included.
    ///
    /// # Errors
    /// When it is none, damaged, or of another version.
    pub fn parse(frame: &'a [u8]) -> Result<Self, IdsError> {
        let payload = frame::skippable_payload(IDS_MAGIC, frame)
            .ok_or(IdsError::Damaged("it is no frame of its type and length"))?;
        let (mut rest, digest) = payload
            .split_last_chunk::<32>()
            .ok_or(IdsError::Damaged("it is shorter than its digest"))?;
        if Sha256::digest(rest).as_slice() != digest {
            return Err(IdsError::Damaged("its bytes are not those of its digest"));
        }
        let version = wire::take_varint(&mut rest).ok_or(IdsError::Damaged("it is empty"))?;
        if version != VERSION {
            return Err(IdsError::Version(version));
        }
        let cut = IdsError::Damaged("its table of incarnations is cut");
        let count = wire::take_varint(&mut rest).ok_or(cut)?;
        let table = count
            .checked_mul(16)
            .and_then(|bytes| wire::take(&mut rest, bytes))
            .ok_or(cut)?;
        let incarnations = table
            .as_chunks::<16>()
            .0
            .iter()
            .map(|bits| (Incarnation::from_bytes(*bits), 0))
            .collect();
        let left = wire::take_varint(&mut rest).ok_or(cut)?;
        Ok(Self {
            incarnations,
            left,
            received: 0,
            rest,
        })
    }

    /// Records that are still to come.
    pub const fn left(&self) -> u64 {
        self.left
    }

    fn take(&mut self) -> Option<RecordIdentity> {
        let (document_hash, after) = self.rest.split_first_chunk::<16>()?;
        let (flags, mut rest) = after.split_first()?;
        let place = usize::try_from(wire::take_varint(&mut rest)?).ok()?;
        let (incarnation, last) = self.incarnations.get_mut(place)?;
        *last = last.wrapping_add(wire::unzigzag(wire::take_varint(&mut rest)?) as u64);
        self.received = self
            .received
            .wrapping_add(wire::unzigzag(wire::take_varint(&mut rest)?));
        self.rest = rest;
        Some(RecordIdentity {
            id: RecordId {
                incarnation: *incarnation,
                sequence: *last,
            },
            received: Timestamp::from_micros(self.received),
            document_hash: *document_hash,
            makes_key: flags & MAKES_KEY != 0,
        })
    }
}

impl Iterator for Ids<'_> {
    type Item = Result<RecordIdentity, IdsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            let over = !std::mem::take(&mut self.rest).is_empty();
            return over.then_some(Err(IdsError::Damaged("bytes follow the last record")));
        }
        let Some(identity) = self.take() else {
            (self.left, self.rest) = (0, &[]);
            return Some(Err(IdsError::Damaged("a record is cut")));
        };
        self.left -= 1;
        Some(Ok(identity))
    }
}
