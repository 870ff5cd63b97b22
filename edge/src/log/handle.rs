//! What the rest of the edge holds of the log: appending, and reading a place.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use index_schema::proto::{PingRecord, Plan, PlanDone};
use ping::{ChunkId, Incarnation, RecordId};
use prost::Message as _;
use tokio::sync::oneshot;

use super::budget::{LogBudget, Reservation};
use super::chain::{Reader, Readers};
use super::frame::{self, FrameKind};
use super::message::{Copy, Message, NewPing, NotLogged};
use super::names::{Lost, Names};
use super::position::Position;
use super::probe::Wish;
use super::queue::Asking;

/// The log's face.
#[derive(Debug)]
pub(crate) struct Log {
    /// The log's incarnation.
    own: Incarnation,
    /// The start of this process, counted from 1.
    boot: u64,
    next_plan: AtomicU64,
    writer: Asking,
    probe_wish: Wish,
    readers: Readers,
    names: Arc<Names>,
    budget: Arc<LogBudget>,
}

/// Why a ping could not be read back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The disk answered with an error; it may work again.
    #[error("could not read the write-ahead log: {0}")]
    Disk(#[from] io::Error),
    /// What was synced there is there no more.
    #[error("segment {segment} of the write-ahead log is damaged at {offset}")]
    Damaged {
        /// The segment.
        segment: u32,
        /// The place.
        offset: u64,
        /// What was read instead.
        bytes: Vec<u8>,
    },
}

impl Log {
    /// The face of the log that `writer` leads to.
    pub(crate) fn new(
        own: Incarnation,
        boot: u64,
        next_plan: u64,
        writer: Asking,
        (readers, names): (Readers, Arc<Names>),
        budget: Arc<LogBudget>,
    ) -> Self {
        Self {
            own,
            boot,
            next_plan: AtomicU64::new(next_plan),
            writer,
            probe_wish: Wish::default(),
            readers,
            names,
            budget,
        }
    }

    /// Whether it lies where its names say, as the last look found it.
    pub(crate) const fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// Looks whether it does. Blocks on the disk. A segment that has no name, or was cut, soon has the writer begin the next one.
    pub(crate) fn look_at_names(&self) -> Option<Lost> {
        let lost = self.names.look(&self.readers);
        if matches!(lost, Some(Lost::Cut | Lost::Segment)) {
            self.probe_wish.wish();
        }
        lost
    }

    /// Takes room for a submission; `None` when the log is full. Then it is soon looked for room for the next segment.
    pub(crate) fn reserve(&self, bytes: usize, pings: u64) -> Option<Reservation> {
        let reservation = self.budget.reserve(bytes as u64, pings);
        if reservation.is_none() {
            self.probe();
        }
        reservation
    }

    /// Asks for a look whether what failed works by now, if anything did.
    pub(crate) fn probe(&self) {
        if !self.budget.spare_ready() || !self.budget.is_writable() {
            self.probe_wish.wish();
        }
    }

    /// Whether somebody asked for a look.
    pub(crate) const fn probe_wish(&self) -> &Wish {
        &self.probe_wish
    }

    /// Has the writer look whether what failed works by now, and returns when it did.
    pub(crate) async fn look(&self) {
        let (looked, answer) = oneshot::channel();
        // A writer that has ended looks no more.
        if self.writer.send(Message::Probe(looked)).await.is_ok() {
            let _ = answer.await;
        }
    }

    /// The log's budget.
    pub(crate) const fn budget(&self) -> &Arc<LogBudget> {
        &self.budget
    }

    /// Logs a submission. Once this answers, it is durable and waits; if the caller goes away, that happens none the
    /// less.
    pub(crate) async fn append(
        &self,
        ping: NewPing,
        reservation: Reservation,
    ) -> Result<RecordId, NotLogged> {
        self.ask(|reply| Message::Submission {
            ping: Box::new(ping),
            reservation,
            reply,
        })
        .await
    }

    /// Logs lines of one imported file and answers how many were new. They become durable in their order: after an
    /// error some of them, from the first on, may be.
    pub(crate) async fn append_lines(
        &self,
        pings: Vec<NewPing>,
        reservation: Reservation,
    ) -> Result<u64, NotLogged> {
        self.ask(|reply| Message::Import {
            pings,
            reservation,
            reply,
        })
        .await
    }

    /// Logs copies of pings that wait, and answers where they lie from now on, in the same order.
    pub(crate) async fn append_copies(
        &self,
        copies: Vec<Copy>,
        reservation: Reservation,
    ) -> Result<Vec<Position>, NotLogged> {
        self.ask(|reply| Message::Copies {
            copies,
            reservation,
            reply,
        })
        .await
    }

    /// The identity of the next chunk.
    pub(crate) fn next_chunk(&self) -> ChunkId {
        let plan = self.next_plan.fetch_add(1, Ordering::SeqCst);
        ChunkId {
            incarnation: self.own,
            boot: self.boot,
            plan,
        }
    }

    /// Logs a plan and answers which segment it pins.
    pub(crate) async fn append_plan(&self, plan: Plan) -> Result<u32, NotLogged> {
        self.ask(|reply| Message::Plan { plan, reply }).await
    }

    /// Logs that a plan is done or given up, and lets go of what it settles.
    pub(crate) async fn append_done(
        &self,
        done: PlanDone,
        released: Vec<(u32, u64)>,
    ) -> Result<(), NotLogged> {
        self.ask(|reply| Message::Done {
            done,
            released,
            reply,
        })
        .await
    }

    /// Lets go of pings that can no longer be read. Where `unkept` lies, which could not be set aside, nothing is removed
    /// until it can.
    pub(crate) async fn release(&self, released: Vec<(u32, u64)>, pings: u64, unkept: Vec<Position>) {
        let message = Message::Release {
            released,
            pings,
            unkept,
        };
        // Without a writer there is nothing to let go of.
        let _ = self.writer.send(message).await;
    }

    /// Lets the writer end after all that was asked before.
    pub(crate) async fn end(&self) {
        let _ = self.writer.send(Message::End).await;
    }

    /// Reads a ping back. Blocks on the disk.
    pub(crate) fn read(&self, position: Position) -> Result<PingRecord, ReadError> {
        let payload = self.read_payload(position)?;
        PingRecord::decode(payload.clone()).map_err(|_| ReadError::Damaged {
            segment: position.segment,
            offset: position.offset(),
            bytes: payload.to_vec(),
        })
    }

    /// Reads a ping's record back as it was logged. Blocks on the disk.
    pub(crate) fn read_payload(&self, position: Position) -> Result<Bytes, ReadError> {
        let (segment, offset) = (position.segment, position.offset());
        let reader = self.reader(segment)?;
        let mut bytes = vec![0; position.length as usize];
        let read = reader.file.read_at(&mut bytes, offset)?;
        bytes.truncate(read);
        let payload = match frame::decode(&bytes, offset, reader.salt) {
            Ok(frame) if matches!(frame.kind, FrameKind::Ping | FrameKind::Copy) => frame.payload.len(),
            _ => {
                // What was removed meanwhile may have been written over.
                self.reader(segment)?;
                return Err(ReadError::Damaged {
                    segment,
                    offset,
                    bytes,
                });
            }
        };
        Ok(Bytes::from(bytes).slice(frame::FRAME_HEADER_BYTES..frame::FRAME_HEADER_BYTES + payload))
    }

    fn reader(&self, segment: u32) -> io::Result<Reader> {
        let readers = self.readers.read().unwrap_or_else(PoisonError::into_inner);
        let reader = readers.get(&segment).cloned();
        reader.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the segment was removed"))
    }

    async fn ask<T>(
        &self,
        message: impl FnOnce(oneshot::Sender<Result<T, NotLogged>>) -> Message,
    ) -> Result<T, NotLogged> {
        let (reply, answer) = oneshot::channel();
        self.writer.send(message(reply)).await.map_err(|_| NotLogged)?;
        answer.await.map_err(|_| NotLogged)?
    }
}
