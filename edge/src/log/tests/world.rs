//! A log with its writer, driven without a thread, and what it promised.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use disk::{Disk as _, SimulatedDisk};
use index_schema::proto::{PingRecord, Plan, PlanDone};
use ping::{Incarnation, RecordId};
use prost::Message as _;
use service::clock::HandClock;
use service::random::{Random, SeededRandom};
use tokio::sync::oneshot;

use crate::log::budget::{LogBudget, Reservation};
use crate::log::frame::{self, FRAME_HEADER_BYTES};
use crate::log::message::{Copy, LoggedPing, Message, NewPing, Watcher};
use crate::log::open::{LogOptions, OpenError, Opened, open};
use crate::log::position::Position;
use crate::log::runs;
use crate::log::writer::Writer;
use crate::partition_key::PartitionKey;

pub(super) const OWN: Incarnation = Incarnation::from_bytes([1; 16]);
pub(super) const FILE: Incarnation = Incarnation::from_bytes([2; 16]);
pub(super) const SEGMENT_BYTES: u64 = 4 << 10;

#[derive(Debug, Default)]
pub(super) struct Watched {
    pub(super) logged: Mutex<Vec<LoggedPing>>,
}

impl Watcher for Watched {
    fn logged(&self, pings: Vec<LoggedPing>) {
        self.logged.lock().expect("no panic holds it").extend(pings);
    }

    fn chunked(&self, _: u64) {}

    fn set_aside(&self, _: u64) {}
}

/// A log with its writer, driven without a thread.
pub(super) struct World {
    pub(super) plan_segment: u32,
    /// Where pings lie that were copied forward.
    pub(super) moved: BTreeMap<RecordId, Position>,
    pub(super) budget: Arc<LogBudget>,
    pub(super) watched: Arc<Watched>,
    pub(super) writer: Writer,
}

/// What was asked of the log, and what it promised.
#[derive(Clone, Debug, Default)]
pub(super) struct Promised {
    /// Bodies by record id.
    pub(super) pings: BTreeMap<RecordId, Vec<u8>>,
    /// Lists of plans that were promised.
    pub(super) plans: BTreeMap<u64, Vec<RecordId>>,
    /// Plans whose end was promised, and whose end was asked for.
    pub(super) done: BTreeSet<u64>,
    pub(super) asked_done: BTreeMap<u64, Vec<RecordId>>,
}

pub(super) fn options() -> LogOptions {
    LogOptions {
        dir: PathBuf::from("/log"),
        damaged_dir: PathBuf::from("/damaged"),
        segment_bytes: SEGMENT_BYTES,
    }
}

pub(super) fn open_log(disk: &SimulatedDisk, seed: u64) -> Result<(Opened, Arc<LogBudget>), OpenError> {
    let budget = LogBudget::new(1 << 20, 1_000);
    let random: Arc<dyn Random> = SeededRandom::new(seed);
    let opened = open(&options(), &disk.shared(), &random, OWN, &budget, &mut |_| 0)?;
    Ok((opened, budget))
}

impl World {
    pub(super) fn new(disk: &SimulatedDisk, seed: u64) -> Result<Self, OpenError> {
        let (opened, budget) = open_log(disk, seed)?;
        let watched = Arc::new(Watched::default());
        let watcher: Arc<dyn Watcher> = watched.clone();
        let writer = Writer::new(
            OWN,
            opened.chain,
            opened.recovered.counters,
            watcher,
            HandClock::at_micros(0),
        );
        Ok(Self {
            plan_segment: 0,
            moved: BTreeMap::new(),
            budget,
            watched,
            writer,
        })
    }

    pub(super) fn commit(&mut self, messages: Vec<Message>) {
        let bytes = messages.iter().map(Message::frame_bytes_max).sum();
        self.writer.commit(messages, bytes);
    }

    /// Room, at the latest when the writer has looked for it.
    pub(super) fn reserve(&mut self) -> Option<Reservation> {
        self.budget.reserve(1, 1).or_else(|| {
            self.commit(vec![Message::Probe(oneshot::channel().0)]);
            self.budget.reserve(1, 1)
        })
    }

    /// Logs pings as one group; answers the ids of those that were promised.
    pub(super) fn pings(&mut self, bodies: &[Vec<u8>]) -> Vec<Option<RecordId>> {
        let (mut answers, mut messages) = (Vec::new(), Vec::new());
        for body in bodies {
            let Some(reservation) = self.reserve() else {
                return Vec::new();
            };
            let (reply, answer) = oneshot::channel();
            answers.push(answer);
            let ping = Box::new(new_ping(PingRecord::default(), body));
            messages.push(Message::Submission {
                ping,
                reservation,
                reply,
            });
        }
        self.commit(messages);
        answers
            .into_iter()
            .map(|mut answer| answer.try_recv().ok()?.ok())
            .collect()
    }

    pub(super) fn line(&mut self, line: u64, body: &[u8]) -> Option<u64> {
        let (reply, mut answer) = oneshot::channel();
        let head = PingRecord {
            incarnation: FILE.as_bytes().to_vec().into(),
            sequence: line,
            ..PingRecord::default()
        };
        let reservation = self.reserve()?;
        self.commit(vec![Message::Import {
            pings: vec![new_ping(head, body)],
            reservation,
            reply,
        }]);
        answer.try_recv().ok()?.ok()
    }

    /// Copies pings forward as one group; whether that was promised.
    pub(super) fn copy(&mut self, pings: &[(RecordId, Vec<u8>)]) -> bool {
        let Some(reservation) = self.reserve() else {
            return false;
        };
        let (reply, mut answer) = oneshot::channel();
        let copies = pings.iter().map(|(id, body)| {
            let record = PingRecord {
                incarnation: id.incarnation.as_bytes().to_vec().into(),
                sequence: id.sequence,
                body: Bytes::copy_from_slice(body),
                ..PingRecord::default()
            };
            Copy {
                from: Position::new(self.segment_of(*id), 0, 0),
                payload: record.encode_to_vec().into(),
            }
        });
        let copies = copies.collect();
        self.commit(vec![Message::Copies {
            copies,
            reservation,
            reply,
        }]);
        let Ok(Ok(places)) = answer.try_recv() else {
            return false;
        };
        self.moved.extend(pings.iter().map(|(id, _)| *id).zip(places));
        true
    }

    pub(super) fn plan(&mut self, plan: u64, ids: &[RecordId]) -> bool {
        let (reply, mut answer) = oneshot::channel();
        let plan = Plan {
            plan,
            records: ids.len() as u64,
            runs: runs::encode(ids.iter().copied()),
            ..Plan::default()
        };
        self.commit(vec![Message::Plan { plan, reply }]);
        let Ok(Ok(segment)) = answer.try_recv() else {
            return false;
        };
        self.plan_segment = segment;
        true
    }

    pub(super) fn done(&mut self, plan: u64, records: u64, released: Vec<(u32, u64)>) -> bool {
        let (reply, mut answer) = oneshot::channel();
        self.commit(vec![Message::Done {
            done: PlanDone { plan, records },
            released,
            reply,
        }]);
        answer.try_recv().is_ok_and(|answer| answer.is_ok())
    }

    pub(super) fn segment_of(&self, id: RecordId) -> u32 {
        if let Some(position) = self.moved.get(&id) {
            return position.segment;
        }
        let logged = self.watched.logged.lock().expect("no panic holds it");
        logged
            .iter()
            .find(|ping| ping.id == id)
            .expect("logged")
            .position
            .segment
    }
}

pub(super) fn new_ping(head: PingRecord, body: &[u8]) -> NewPing {
    NewPing {
        head,
        body: Bytes::copy_from_slice(body),
        partition: PartitionKey::default(),
    }
}

pub(super) fn body(number: usize) -> Vec<u8> {
    format!("ping {number} ").into_bytes().repeat(1 + number * 7 % 40)
}

/// Ten groups of pings and lines; every second group is planned, and most plans are done.
pub(super) fn script(world: &mut World, promised: &mut Promised) {
    let mut number = 0;
    for round in 0..10_u64 {
        let bodies: Vec<_> = (0..1 + round % 4)
            .map(|_| {
                number += 1;
                body(number)
            })
            .collect();
        let mut ids: Vec<_> = Vec::new();
        for (id, body) in world.pings(&bodies).into_iter().zip(bodies) {
            if let Some(id) = id {
                promised.pings.insert(id, body);
                ids.push(id);
            }
        }
        if world.line(round + 1, &body(100)).is_some_and(|added| added == 1) {
            let id = RecordId {
                incarnation: FILE,
                sequence: round + 1,
            };
            promised.pings.insert(id, body(100));
            ids.push(id);
        }
        if round % 2 == 0 && !ids.is_empty() && world.plan(round + 1, &ids) {
            promised.plans.insert(round + 1, ids);
        }
        if let Some((plan, ids)) = promised
            .plans
            .iter()
            .find(|(plan, _)| !promised.asked_done.contains_key(plan))
            && round % 4 != 0
        {
            let (plan, ids) = (*plan, ids.clone());
            let released = ids.iter().map(|id| (world.segment_of(*id), 1)).collect();
            promised.asked_done.insert(plan, ids.clone());
            if world.done(plan, ids.len() as u64, released) {
                promised.done.insert(plan);
            }
        }
    }
}

/// Pings that are planned and done one after the other, but for the first, which pins the oldest segment for long: then
/// several segments are removed at once.
pub(super) fn settling_script(world: &mut World, promised: &mut Promised) {
    let mut waiting = Vec::new();
    for plan in 1..=24_u64 {
        let bodies = [vec![b'x'; 600], vec![b'y'; 100]];
        let ids: Vec<_> = world.pings(&bodies).into_iter().flatten().collect();
        promised.pings.extend(ids.iter().copied().zip(bodies));
        if ids.is_empty() || !world.plan(plan, &ids) {
            continue;
        }
        promised.plans.insert(plan, ids.clone());
        let mut released: Vec<_> = ids.iter().map(|id| (world.segment_of(*id), 1)).collect();
        released.push((world.plan_segment, 1));
        waiting.push((plan, released));
        let settled = match plan {
            1 => Vec::new(),
            16 => std::mem::take(&mut waiting),
            _ => waiting.split_off(waiting.len() - 1),
        };
        for (plan, released) in settled {
            let ids = promised.plans[&plan].clone();
            promised.asked_done.insert(plan, ids.clone());
            if world.done(plan, ids.len() as u64, released) {
                promised.done.insert(plan);
            }
        }
    }
}

pub(super) fn read(opened: &Opened, position: Position) -> PingRecord {
    let readers = opened.chain.readers();
    let reader = readers.read().expect("no panic holds it")[&position.segment].clone();
    let mut bytes = vec![0; position.length as usize];
    assert_eq!(
        reader
            .file
            .read_at(&mut bytes, position.offset())
            .expect("readable"),
        bytes.len()
    );
    let frame = frame::decode(&bytes, position.offset(), reader.salt).expect("a frame");
    assert!(frame.length > FRAME_HEADER_BYTES);
    PingRecord::decode(frame.payload).expect("a record")
}

/// What the folder for damage holds, without what power cuts left behind the last frame.
pub(super) fn damage_in(disk: &SimulatedDisk) -> Vec<PathBuf> {
    let entries = disk
        .read_dir(&options().damaged_dir)
        .expect("a folder")
        .into_iter();
    let is_tail = |path: &PathBuf| path.to_string_lossy().contains("/tail-");
    entries
        .map(|(path, _)| path)
        .filter(|path| !is_tail(path))
        .collect()
}

/// Holds a log as found against what was promised.
pub(super) fn check(opened: &Opened, promised: &Promised, what: &str) {
    let recovered = &opened.recovered;
    let planned = recovered
        .plans
        .iter()
        .flat_map(|plan| plan.pings.iter().map(|(_, ping)| ping));
    let mut present = BTreeMap::new();
    for ping in recovered.waiting.iter().chain(planned) {
        let record = read(opened, ping.position);
        let incarnation = Incarnation::from_slice(&record.incarnation).expect("16 bytes");
        let id = RecordId {
            incarnation,
            sequence: record.sequence,
        };
        assert_eq!(ping.sequence, id.sequence, "{what}");
        assert!(
            present.insert(id, record.body.to_vec()).is_none(),
            "{what}: {id:?} twice"
        );
    }
    let in_chunks: BTreeSet<RecordId> = promised.asked_done.values().flatten().copied().collect();
    for (id, body) in &promised.pings {
        match present.get(id) {
            Some(found) => assert_eq!(found, body, "{what}: {id:?}"),
            None => assert!(in_chunks.contains(id), "{what}: {id:?} was promised and is lost"),
        }
    }
    for (plan, ids) in &promised.plans {
        let found = recovered.plans.iter().find(|undone| undone.plan.plan == *plan);
        if promised.done.contains(plan) {
            assert!(found.is_none(), "{what}: plan {plan} was done");
            assert!(
                ids.iter().all(|id| !present.contains_key(id)),
                "{what}: pings of plan {plan} wait again"
            );
        } else if !promised.asked_done.contains_key(plan) {
            let found = found.unwrap_or_else(|| panic!("{what}: plan {plan} was promised and is lost"));
            let list: Vec<_> = found
                .pings
                .iter()
                .map(|(incarnation, ping)| RecordId {
                    incarnation: *incarnation,
                    sequence: ping.sequence,
                })
                .collect();
            assert_eq!((&list, found.missing), (ids, 0), "{what}: plan {plan}");
        }
    }
    let count = |plans: &mut dyn Iterator<Item = u64>| {
        plans.map(|plan| promised.plans[&plan].len() as u64).sum::<u64>()
    };
    let least = count(&mut promised.done.iter().copied());
    let most = count(&mut promised.asked_done.keys().copied());
    assert!(
        (least..=most).contains(&recovered.counters.chunked),
        "{what}: chunked {}",
        recovered.counters.chunked
    );
    let highest = promised
        .pings
        .keys()
        .filter(|id| id.incarnation == OWN)
        .map(|id| id.sequence)
        .max();
    assert!(recovered.counters.next_sequence > highest.unwrap_or(0), "{what}");
}

/// The script on a fresh disk whose power goes off at an operation.
pub(super) fn run(disk: &SimulatedDisk, promised: &mut Promised) {
    if let Ok(mut world) = World::new(disk, 7) {
        script(&mut world, promised);
    }
}

pub(super) fn operations() -> u64 {
    let disk = SimulatedDisk::new();
    run(&disk, &mut Promised::default());
    disk.operations()
}
