//! What is asked of the log's writer, and what it tells.

use bytes::Bytes;
use index_schema::proto::{PingRecord, Plan, PlanDone};
use ping::RecordId;
use prost::Message as _;
use prost::encoding::encode_varint;
use tokio::sync::oneshot;

use super::budget::Reservation;
use super::frame::frame_length;
use super::position::Position;
use crate::limits::{BODY_BYTES_MAX, HEAD_BYTES_MAX};
use crate::partition_key::PartitionKey;

/// A ping that is to be logged.
#[derive(Debug)]
pub(crate) struct NewPing {
    /// The record without its body. A submission's id is given by the writer, an imported line's stands in it.
    pub(crate) head: PingRecord,
    /// The body as sent.
    pub(crate) body: Bytes,
    /// Where the ping is kept.
    pub(crate) partition: PartitionKey,
}

/// A ping that is logged and synced.
#[derive(Debug)]
pub(crate) struct LoggedPing {
    /// Its permanent id.
    pub(crate) id: RecordId,
    /// Whether it is a line of an imported file.
    pub(crate) imported: bool,
    /// Where it lies.
    pub(crate) position: Position,
    /// Where the ping is kept.
    pub(crate) partition: PartitionKey,
}

/// The entry is not in the log, or not surely: nothing may be promised on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the write-ahead log could not be written; see the log lines of its writer")]
pub(crate) struct NotLogged;

/// Answered once everything is decided.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, NotLogged>>;

/// A ping that waits, to be logged once more under its id.
#[derive(Debug)]
pub(crate) struct Copy {
    /// Where it lies so far.
    pub(crate) from: Position,
    /// Its record, as logged.
    pub(crate) payload: Bytes,
}

/// What is asked of the writer. All messages of a commit group share one write and one sync.
#[derive(Debug)]
pub(crate) enum Message {
    /// Log one submission; answered with its id.
    Submission {
        /// The ping.
        ping: Box<NewPing>,
        /// Its room in the budget.
        reservation: Reservation,
        /// Answered once the ping is durable and waits.
        reply: Reply<RecordId>,
    },
    /// Log some lines of one imported file, in their order; answered with how many of them were new.
    Import {
        /// The lines, ascending.
        pings: Vec<NewPing>,
        /// Their room in the budget.
        reservation: Reservation,
        /// Answered once they are durable and wait.
        reply: Reply<u64>,
    },
    /// Log copies of pings that wait, which settles what they were copied from; answered with where they lie now.
    Copies {
        /// The pings.
        copies: Vec<Copy>,
        /// Their room in the budget.
        reservation: Reservation,
        /// Answered once they are durable.
        reply: Reply<Vec<Position>>,
    },
    /// Log a plan; answered with the segment that it pins.
    Plan {
        /// The plan.
        plan: Plan,
        /// Answered once it is durable.
        reply: Reply<u32>,
    },
    /// Log that a plan is done, or, with 0 records, given up.
    Done {
        /// The mark.
        done: PlanDone,
        /// How many entries of which segments this settles.
        released: Vec<(u32, u64)>,
        /// Answered once it is durable.
        reply: Reply<()>,
    },
    /// Pings that can no longer be read were set aside.
    Release {
        /// How many entries of which segments this settles.
        released: Vec<(u32, u64)>,
        /// Pings that no longer wait.
        pings: u64,
        /// What of them could not be set aside: where that lies is not removed until it can.
        unkept: Vec<Position>,
    },
    /// Look whether what failed works by now: the last write, or room for the next segment. Answered when it was looked.
    Probe(oneshot::Sender<()>),
    /// End after what was asked before.
    End,
}

/// Told what became durable, before whoever asked is answered.
pub(crate) trait Watcher: Send + Sync {
    /// Pings are logged: from now on they wait.
    fn logged(&self, pings: Vec<LoggedPing>);

    /// Pings are in a chunk: from now on they do not wait.
    fn chunked(&self, pings: u64);

    /// Pings that waited are set aside as damaged.
    fn set_aside(&self, pings: u64);
}

impl Copy {
    /// Bytes of its frame.
    pub(crate) const fn frame_bytes(&self) -> usize {
        frame_length(self.payload.len())
    }
}

impl NewPing {
    /// Bytes of its frame, at most: ids take at most 30 of them.
    pub(crate) fn frame_bytes_max(&self) -> usize {
        frame_length(self.head.encoded_len() + self.body.len() + 48)
    }

    /// Whether a frame of the log and a record of a chunk can hold it.
    pub(crate) fn fits(&self) -> bool {
        // Ids are given later, and the body has a tag and a length.
        self.body.len() <= BODY_BYTES_MAX && self.head.encoded_len() + 48 <= HEAD_BYTES_MAX
    }

    /// Appends the record as protobuf; its body comes last, and is copied once.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        self.head.encode(out).expect("a vector has room");
        if !self.body.is_empty() {
            out.push(BODY_TAG);
            encode_varint(self.body.len() as u64, out);
            out.extend_from_slice(&self.body);
        }
    }
}

/// Tag 15, length-delimited: the field `body` of `PingRecord`.
const BODY_TAG: u8 = (15 << 3) | 2;

impl Message {
    /// Bytes it adds to a commit group, at most.
    pub(crate) fn frame_bytes_max(&self) -> usize {
        match self {
            Self::Submission { ping, .. } => ping.frame_bytes_max(),
            Self::Import { pings, .. } => pings.iter().map(NewPing::frame_bytes_max).sum(),
            Self::Copies { copies, .. } => copies.iter().map(Copy::frame_bytes).sum(),
            Self::Plan { plan, .. } => frame_length(plan.encoded_len()),
            Self::Done { done, .. } => frame_length(done.encoded_len()),
            Self::Release { .. } | Self::Probe(_) | Self::End => 0,
        }
    }

    /// Whether the log gets no fuller by it than it must to be drained.
    pub(crate) const fn drains(&self) -> bool {
        matches!(self, Self::Plan { .. } | Self::Done { .. } | Self::Release { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_written_in_two_parts_is_the_record() {
        for body in [Bytes::new(), Bytes::from_static(b"{}"), Bytes::from(vec![7; 300])] {
            let head = PingRecord {
                sequence: 7,
                uri: Bytes::from_static(b"/submit/x"),
                ..PingRecord::default()
            };
            let whole = PingRecord {
                body: body.clone(),
                ..head.clone()
            };
            let partition = PartitionKey::default();
            let mut written = Vec::new();
            NewPing {
                head,
                body,
                partition,
            }
            .write(&mut written);
            assert_eq!(written, whole.encode_to_vec());
        }
    }
}
