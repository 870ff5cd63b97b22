//! The log's writer: one thread that takes what waits, writes it at once, syncs once, then answers.
//!
//! A failed write or sync poisons the segment: nobody who waited gets a yes, the same pages are never synced again, and
//! before anything else is logged a new segment says how far the old one holds.

use std::io;
use std::sync::Arc;

use super::chain::Chain;
use super::counters::Counters;
use super::frame::{self, FrameKind};
use super::group::{Answer, Group};
use super::message::{Copy, LoggedPing, Message, NewPing, Watcher};
use super::position::Position;
use super::queue::Asked;
use crate::metrics as names;
use disk::File;
use ping::{Incarnation, RecordId};
use prost::Message as _;
use service::clock::Clock;

/// A commit group takes no more messages when it has this many bytes: what a sync costs is shared by then.
const GROUP_BYTES: usize = 8 << 20;

/// Writes the log.
pub(crate) struct Writer {
    own: Incarnation,
    chain: Chain,
    counters: Counters,
    watcher: Arc<dyn Watcher>,
    clock: Arc<dyn Clock>,
    buffer: Vec<u8>,
    poisoned: bool,
}

impl Writer {
    /// A writer that goes on where the chain and the counters stand.
    pub(crate) fn new(
        own: Incarnation,
        chain: Chain,
        counters: Counters,
        watcher: Arc<dyn Watcher>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            own,
            chain,
            counters,
            watcher,
            clock,
            buffer: Vec::new(),
            poisoned: false,
        }
    }

    /// Serves messages until it is told to end, or nobody can ask any more.
    pub(crate) async fn run(mut self, mut asked: Asked) {
        let group_bytes =
            GROUP_BYTES.min(usize::try_from(self.chain.segment_bytes() / 4).unwrap_or(GROUP_BYTES));
        while let Some(first) = asked.next().await {
            let mut end = matches!(first, Message::End);
            let mut bytes = first.frame_bytes_max();
            let mut group = vec![first];
            while bytes < group_bytes && !end {
                let Some(message) = asked.next_waiting() else {
                    break;
                };
                bytes += message.frame_bytes_max();
                end = matches!(message, Message::End);
                group.push(message);
            }
            self.commit(group, bytes);
            if end {
                let left: Vec<Message> = std::iter::from_fn(|| asked.next_draining()).collect();
                let bytes = left.iter().map(Message::frame_bytes_max).sum();
                self.commit(left, bytes);
                return;
            }
        }
    }

    /// Makes messages durable and answers them.
    pub(crate) fn commit(&mut self, messages: Vec<Message>, bytes_max: usize) {
        let (looks, messages): (Vec<_>, Vec<_>) = messages
            .into_iter()
            .partition(|message| matches!(message, Message::Probe(_)));
        let messages: Vec<Message> = messages
            .into_iter()
            .filter_map(|message| self.settle(message))
            .collect();
        if !messages.is_empty() {
            self.write(messages, bytes_max);
        }
        for look in looks {
            self.settle(look);
        }
    }

    /// Writes and syncs what needs frames.
    fn write(&mut self, messages: Vec<Message>, bytes_max: usize) {
        if let Err(error) = self.make_room(bytes_max as u64) {
            tracing::error!(%error, "could not open a segment of the write-ahead log: nothing is accepted until it works");
            metrics::counter!(names::LOG_FAILURES).increment(1);
            self.chain.budget().set_writable(false);
            return; // Dropping the messages tells whoever waits that nothing was logged.
        }
        let (reader, start) = self.chain.current();
        self.buffer.clear();
        let mut group = Group::default();
        for message in messages {
            self.encode(message, start, reader.salt, &mut group);
        }
        let written = if self.buffer.is_empty() {
            Ok(()) // All lines of an import were known.
        } else {
            reader
                .file
                .write_all_at(&self.buffer, start)
                .and_then(|()| self.sync(reader.file.as_ref()))
        };
        match written {
            Ok(()) => self.committed(group, start + self.buffer.len() as u64),
            Err(error) => self.failed(group, &error),
        }
        self.buffer.shrink_to(2 * GROUP_BYTES);
    }

    fn sync(&self, file: &dyn File) -> io::Result<()> {
        let begun = self.clock.monotonic();
        let synced = file.sync();
        metrics::histogram!(names::LOG_SYNC_SECONDS).record(self.clock.monotonic() - begun);
        synced
    }

    /// Does what needs no frame, and hands the other messages back.
    fn settle(&mut self, message: Message) -> Option<Message> {
        match message {
            Message::Release {
                released,
                pings,
                unkept,
            } => {
                for position in unkept {
                    let end = position.offset() + u64::from(position.length);
                    self.chain.set_unkept(position.segment, position.offset()..end);
                }
                self.chain.release(&released);
                self.watcher.set_aside(pings);
                self.remove_settled();
            }
            Message::Probe(looked) => {
                self.probe();
                // Whoever asked may be gone.
                let _ = looked.send(());
            }
            Message::End => {}
            other => return Some(other),
        }
        None
    }

    /// Tries what failed again, so that a node from which all traffic was taken comes back by itself.
    fn probe(&mut self) {
        let is_lost = self.chain.names().is_lost(self.chain.last());
        if (is_lost || !self.chain.budget().is_writable()) && self.make_room(0).is_ok() {
            self.chain.budget().set_writable(true);
        }
        self.chain.ready_spare();
    }

    /// Sees to it that the next group goes to a segment that is whole and has room for it.
    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        let (_, used) = self.chain.current();
        let names = self.chain.names();
        // Where no other can be opened, plans and done marks still go to this one, however long it gets.
        let fits =
            used + bytes <= self.chain.segment_bytes() || self.chain.is_fresh() || names.lead_elsewhere();
        if !self.poisoned && fits && !names.is_lost(self.chain.last()) {
            return Ok(());
        }
        let state = self.counters.to_state(self.own, self.chain.last(), used);
        let opened = self.chain.open_next(&state, &[]);
        // After an error a next segment may be there, and it voids whatever would be added here.
        self.poisoned = opened.is_err() && (self.poisoned || self.chain.next_may_be_there());
        opened?;
        self.remove_settled();
        Ok(())
    }

    fn encode(&mut self, message: Message, start: u64, salt: frame::Salt, group: &mut Group) {
        match message {
            Message::Submission {
                mut ping,
                reservation,
                reply,
            } => {
                let id = RecordId {
                    incarnation: self.own,
                    sequence: self.counters.next_sequence,
                };
                self.counters.next_sequence += 1;
                set_id(&mut ping, id);
                self.encode_ping(*ping, id, start, salt, group);
                group.answers.push(Answer::Id(reply, id, reservation));
            }
            Message::Import {
                pings,
                reservation,
                reply,
            } => {
                let mut added = 0;
                for ping in pings {
                    added += u64::from(self.encode_line(ping, start, salt, group));
                }
                group.answers.push(Answer::Added(reply, added, reservation));
            }
            Message::Copies {
                copies,
                reservation,
                reply,
            } => {
                let copy = |copy: Copy| self.encode_copy(&copy, start, salt, group);
                let places = copies.into_iter().map(copy).collect();
                group.answers.push(Answer::Places(reply, places, reservation));
            }
            Message::Plan { plan, reply } => {
                self.counters.next_plan = self.counters.next_plan.max(plan.plan + 1);
                self.encode_frame(FrameKind::Plan, start, salt, |out| {
                    out.extend_from_slice(&plan.encode_to_vec());
                });
                group.pins += 1;
                group.answers.push(Answer::Segment(reply, self.chain.last()));
            }
            Message::Done {
                done,
                released,
                reply,
            } => {
                self.encode_frame(FrameKind::Done, start, salt, |out| {
                    out.extend_from_slice(&done.encode_to_vec());
                });
                group.done.push((done, released));
                group.answers.push(Answer::Done(reply));
            }
            Message::Release { .. } | Message::Probe(_) | Message::End => {}
        }
    }

    /// Encodes an imported line, unless it is in the log already.
    fn encode_line(&mut self, ping: NewPing, start: u64, salt: frame::Salt, group: &mut Group) -> bool {
        let Some(incarnation) = Incarnation::from_slice(&ping.head.incarnation) else {
            return false;
        };
        let id = RecordId {
            incarnation,
            sequence: ping.head.sequence,
        };
        let taken = self.counters.imports.get(&incarnation).copied().unwrap_or(0);
        if id.sequence <= taken {
            return false;
        }
        group.imports_before.push((incarnation, taken));
        self.counters.learn_import(incarnation, id.sequence);
        self.encode_ping(ping, id, start, salt, group);
        true
    }

    fn encode_ping(&mut self, ping: NewPing, id: RecordId, start: u64, salt: frame::Salt, group: &mut Group) {
        let offset = start + self.buffer.len() as u64;
        let length = self.encode_frame(FrameKind::Ping, start, salt, |out| ping.write(out));
        let position = Position::new(self.chain.last(), offset, length);
        group.pins += 1;
        group.pings.push(LoggedPing {
            id,
            imported: id.incarnation != self.own,
            position,
            partition: ping.partition,
        });
    }

    fn encode_copy(&mut self, copy: &Copy, start: u64, salt: frame::Salt, group: &mut Group) -> Position {
        let offset = start + self.buffer.len() as u64;
        let length = self.encode_frame(FrameKind::Copy, start, salt, |out| {
            out.extend_from_slice(&copy.payload);
        });
        group.pins += 1;
        group.copied.push((copy.from.segment, 1));
        Position::new(self.chain.last(), offset, length)
    }

    /// All that lies before `start` is synced: each group ends with a sync.
    fn encode_frame(
        &mut self,
        kind: FrameKind,
        start: u64,
        salt: frame::Salt,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> usize {
        frame::encode(&mut self.buffer, start, salt, kind, start, write)
    }

    fn committed(&mut self, group: Group, used: u64) {
        self.chain.grow(used);
        self.chain.budget().set_writable(true);
        self.chain.pin(self.chain.last(), group.pins);
        metrics::counter!(names::LOG_COMMITS).increment(1);
        metrics::counter!(names::LOG_BYTES_WRITTEN).increment(self.buffer.len() as u64);
        self.watcher.logged(group.pings);
        self.chain.release(&group.copied);
        let settled = !group.done.is_empty() || !group.copied.is_empty();
        for (done, released) in group.done {
            self.counters.chunked += done.records;
            self.chain.release(&released);
            self.watcher.chunked(done.records);
        }
        for answer in group.answers {
            answer.yes();
        }
        if settled {
            self.remove_settled();
        }
    }

    fn failed(&mut self, group: Group, error: &io::Error) {
        tracing::error!(
            %error,
            segment = self.chain.last(),
            unanswered = group.answers.len(),
            "could not write or sync the write-ahead log: nothing that waited is acknowledged, a new segment follows"
        );
        metrics::counter!(names::LOG_FAILURES).increment(1);
        self.chain.budget().set_writable(false);
        self.poisoned = true;
        self.chain.spoil();
        for (incarnation, taken) in group.imports_before.into_iter().rev() {
            self.counters.imports.insert(incarnation, taken);
        }
        for answer in group.answers {
            answer.no();
        }
    }

    fn remove_settled(&mut self) {
        if let Err(error) = self.chain.remove_settled() {
            tracing::warn!(%error, "could not remove a settled segment of the write-ahead log; tried again later");
        }
    }
}

fn set_id(ping: &mut NewPing, id: RecordId) {
    ping.head.incarnation = id.incarnation.as_bytes().to_vec().into();
    ping.head.sequence = id.sequence;
}
