//! The log over a disk that forgets: what was answered is found again, exactly once, after a power cut at any operation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use disk::{Disk, Moment, SimulatedDisk, SyncKind};
use index_schema::proto::{PingRecord, Plan, PlanDone};
use ping::{Incarnation, RecordId};
use prost::Message as _;
use service::random::{Random, SeededRandom};
use tokio::sync::oneshot;

use super::budget::{Budget, Reservation};
use super::frame::{self, FRAME_HEADER_BYTES};
use super::message::{LoggedPing, Message, NewPing, Watcher};
use super::open::{LogOptions, OpenError, Opened, open};
use super::position::Position;
use super::runs;
use super::writer::Writer;
use crate::partition_key::PartitionKey;

const OWN: Incarnation = Incarnation::from_bytes([1; 16]);
const FILE: Incarnation = Incarnation::from_bytes([2; 16]);
const SEGMENT_BYTES: u64 = 4 << 10;

#[derive(Debug, Default)]
struct Watched {
    logged: Mutex<Vec<LoggedPing>>,
}

impl Watcher for Watched {
    fn logged(&self, pings: Vec<LoggedPing>) {
        self.logged.lock().expect("no panic holds it").extend(pings);
    }

    fn chunked(&self, _: u64) {}

    fn set_aside(&self, _: u64) {}
}

/// A log with its writer, driven without a thread.
struct World {
    plan_segment: u32,
    budget: Arc<Budget>,
    watched: Arc<Watched>,
    writer: Writer,
}

/// What was asked of the log, and what it promised.
#[derive(Clone, Debug, Default)]
struct Promised {
    /// Bodies by record id.
    pings: BTreeMap<RecordId, Vec<u8>>,
    /// Lists of plans that were promised.
    plans: BTreeMap<u64, Vec<RecordId>>,
    /// Plans whose end was promised, and whose end was asked for.
    done: BTreeSet<u64>,
    asked_done: BTreeMap<u64, Vec<RecordId>>,
}

fn options() -> LogOptions {
    LogOptions {
        dir: PathBuf::from("/log"),
        damaged_dir: PathBuf::from("/damaged"),
        segment_bytes: SEGMENT_BYTES,
    }
}

fn open_log(disk: &SimulatedDisk, seed: u64) -> Result<(Opened, Arc<Budget>), OpenError> {
    let budget = Budget::new(1 << 20, 1_000);
    let random: Arc<dyn Random> = SeededRandom::new(seed);
    let opened = open(&options(), &disk.shared(), &random, OWN, &budget, &mut |_| 0)?;
    Ok((opened, budget))
}

impl World {
    fn new(disk: &SimulatedDisk, seed: u64) -> Result<Self, OpenError> {
        let (opened, budget) = open_log(disk, seed)?;
        let watched = Arc::new(Watched::default());
        let watcher: Arc<dyn Watcher> = watched.clone();
        let writer = Writer::new(OWN, opened.chain, opened.recovered.counters, watcher);
        Ok(Self {
            plan_segment: 0,
            budget,
            watched,
            writer,
        })
    }

    fn commit(&mut self, messages: Vec<Message>) {
        let bytes = messages.iter().map(Message::frame_bytes_max).sum();
        self.writer.commit(messages, bytes);
    }

    /// Room, at the latest when the writer has looked for it.
    fn reserve(&mut self) -> Option<Reservation> {
        self.budget.reserve(1, 1).or_else(|| {
            self.commit(vec![Message::ReadySpare]);
            self.budget.reserve(1, 1)
        })
    }

    /// Logs pings as one group; answers the ids of those that were promised.
    fn pings(&mut self, bodies: &[Vec<u8>]) -> Vec<Option<RecordId>> {
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

    fn line(&mut self, line: u64, body: &[u8]) -> Option<u64> {
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

    fn plan(&mut self, plan: u64, ids: &[RecordId]) -> bool {
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

    fn done(&mut self, plan: u64, records: u64, released: Vec<(u32, u64)>) -> bool {
        let (reply, mut answer) = oneshot::channel();
        self.commit(vec![Message::Done {
            done: PlanDone { plan, records },
            released,
            reply,
        }]);
        answer.try_recv().is_ok_and(|answer| answer.is_ok())
    }

    fn segment_of(&self, id: RecordId) -> u32 {
        let logged = self.watched.logged.lock().expect("no panic holds it");
        logged
            .iter()
            .find(|ping| ping.id == id)
            .expect("logged")
            .position
            .segment
    }
}

fn new_ping(head: PingRecord, body: &[u8]) -> NewPing {
    NewPing {
        head,
        body: Bytes::copy_from_slice(body),
        partition: PartitionKey::default(),
    }
}

fn body(number: usize) -> Vec<u8> {
    format!("ping {number} ").into_bytes().repeat(1 + number * 7 % 40)
}

/// Ten groups of pings and lines; every second group is planned, and most plans are done.
fn script(world: &mut World, promised: &mut Promised) {
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
fn settling_script(world: &mut World, promised: &mut Promised) {
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

fn read(opened: &Opened, position: Position) -> PingRecord {
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

/// Holds a log as found against what was promised.
fn check(opened: &Opened, promised: &Promised, what: &str) {
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
fn run(disk: &SimulatedDisk, promised: &mut Promised) {
    if let Ok(mut world) = World::new(disk, 7) {
        script(&mut world, promised);
    }
}

fn operations() -> u64 {
    let disk = SimulatedDisk::new();
    run(&disk, &mut Promised::default());
    disk.operations()
}

#[test]
fn all_that_was_promised_is_found_after_a_kill() {
    let (disk, mut promised) = (SimulatedDisk::new(), Promised::default());
    run(&disk, &mut promised);
    assert_eq!(
        promised
            .pings
            .iter()
            .filter(|(id, _)| id.incarnation == OWN)
            .count(),
        23
    );
    assert!(promised.done.len() >= 3);
    let found = disk.kill();
    let (opened, _) = open_log(&found, 8).expect("opens");
    check(&opened, &promised, "after a kill");
    assert!(
        found
            .read_dir(&options().damaged_dir)
            .expect("a folder")
            .is_empty()
    );
    let segments = found.read_dir(&options().dir).expect("a folder").len();
    assert!(segments < 8, "settled segments were removed: {segments}");
}

#[test]
fn all_that_was_promised_is_found_after_a_power_cut_at_any_operation() {
    for operation in 1..=operations() {
        for moment in [Moment::Before, Moment::After] {
            let (disk, mut promised) = (SimulatedDisk::new(), Promised::default());
            disk.fail_at(operation, moment);
            run(&disk, &mut promised);
            for seed in 0..6 {
                let found = disk.crash(seed);
                let what = format!("operation {operation} {moment:?}, seed {seed}");
                let (opened, _) = open_log(&found, seed).unwrap_or_else(|error| panic!("{what}: {error}"));
                check(&opened, &promised, &what);
                assert!(
                    found
                        .read_dir(&options().damaged_dir)
                        .expect("a folder")
                        .is_empty(),
                    "{what}: damage"
                );
            }
        }
    }
}

#[test]
fn a_segment_that_was_removed_never_comes_back_to_be_sealed_again() {
    let settle = |disk: &SimulatedDisk, promised: &mut Promised| {
        if let Ok(mut world) = World::new(disk, 7) {
            settling_script(&mut world, promised);
        }
    };
    let disk = SimulatedDisk::new();
    settle(&disk, &mut Promised::default());
    let segments = disk.read_dir(&options().dir).expect("a folder");
    assert!(
        segments.len() <= 3 && !segments[0].0.ends_with("0000000000000001.log"),
        "{segments:?}"
    );
    for operation in 1..=disk.operations() {
        for seed in 0..30 {
            let (disk, mut promised) = (SimulatedDisk::new(), Promised::default());
            disk.fail_at(operation, [Moment::Before, Moment::After][seed as usize % 2]);
            settle(&disk, &mut promised);
            let found = disk.crash(seed);
            let what = format!("operation {operation}, seed {seed}");
            let (opened, _) = open_log(&found, seed).unwrap_or_else(|error| panic!("{what}: {error}"));
            check(&opened, &promised, &what);
            let damaged = found.read_dir(&options().damaged_dir).expect("a folder");
            assert!(damaged.is_empty(), "{what}: {damaged:?}");
        }
    }
}

#[test]
fn a_second_power_cut_while_the_log_is_opened_loses_nothing() {
    for operation in (1..=operations()).step_by(7) {
        let (disk, mut promised) = (SimulatedDisk::new(), Promised::default());
        disk.fail_at(operation, Moment::After);
        run(&disk, &mut promised);
        // What a kill leaves in the page cache only must survive the power cut that follows.
        for first in [disk.crash(operation), disk.kill()] {
            let fresh = first.kill();
            open_log(&fresh, 1).expect("opens");
            for second in 1..=fresh.operations() {
                let disk = first.kill();
                disk.fail_at(second, Moment::Before);
                let opened = open_log(&disk, 2).is_ok();
                assert!(!opened || second > 1);
                let (opened, _) = open_log(&disk.crash(second), 3).expect("opens");
                check(
                    &opened,
                    &promised,
                    &format!("operation {operation}, then {second}"),
                );
            }
        }
    }
}

#[test]
fn a_failed_sync_promises_nothing_and_the_log_goes_on_in_a_new_segment() {
    let total = operations();
    for nth in 0..total {
        let (disk, mut promised) = (SimulatedDisk::new(), Promised::default());
        let Ok(mut world) = World::new(&disk, 7) else {
            unreachable!("no fault yet")
        };
        let mut syncs = 0;
        disk.fail_syncs(move |_, _| {
            syncs += 1;
            syncs == nth + 1
        });
        script(&mut world, &mut promised);
        disk.heal();
        let after = world.pings(&[body(7)])[0].expect("the log goes on");
        promised.pings.insert(after, body(7));
        for found in [disk.kill(), disk.crash(nth), disk.crash(nth + 1_000)] {
            let (opened, _) = open_log(&found, nth).expect("opens");
            check(&opened, &promised, &format!("sync {nth}"));
        }
    }
}

#[test]
fn every_sync_of_the_log_is_needed() {
    let loses = |kind: SyncKind, of: fn(&str) -> bool| {
        (1..=operations()).any(|operation| {
            (0..4).any(|seed| {
                let (disk, mut promised) = (SimulatedDisk::new(), Promised::default());
                disk.omit_syncs(move |path, found| found == kind && of(&path.to_string_lossy()));
                disk.fail_at(operation, Moment::After);
                run(&disk, &mut promised);
                let found = disk.crash(seed);
                std::panic::catch_unwind(|| {
                    let (opened, _) = open_log(&found, seed).expect("opens");
                    check(&opened, &promised, "");
                    assert!(
                        found
                            .read_dir(&options().damaged_dir)
                            .expect("a folder")
                            .is_empty()
                    );
                })
                .is_err()
            })
        })
    };
    let is_segment = |path: &str| path.ends_with(".log");
    assert!(loses(SyncKind::File, is_segment), "the sync of a commit group");
    assert!(
        loses(SyncKind::File, |path| path.ends_with("spare")),
        "the sync of a segment before it gets its name"
    );
    assert!(
        loses(SyncKind::Folder, |path| path == "/log"),
        "the sync of the log's folder"
    );
    assert!(
        loses(SyncKind::Folder, |path| path == "/"),
        "the sync of the folder the log's folder is in"
    );
}

#[test]
fn a_hole_in_what_was_synced_is_set_aside_and_the_rest_is_read() {
    let (disk, mut promised) = (SimulatedDisk::new(), Promised::default());
    run(&disk, &mut promised);
    let (opened, _) = open_log(&disk.kill(), 1).expect("opens");
    let victim = opened.recovered.waiting[0];
    let found = disk.kill();
    let segment = super::segment::path(&options().dir, victim.position.segment);
    let file = found.open(&segment).expect("there");
    file.write_all_at(&[0xff; 8], victim.position.offset() + 32)
        .expect("written");
    let (opened, _) = open_log(&found, 2).expect("opens");
    assert!(
        opened
            .recovered
            .waiting
            .iter()
            .all(|ping| ping.sequence != victim.sequence || ping.position != victim.position)
    );
    let kept = found.read_dir(&options().damaged_dir).expect("a folder");
    assert_eq!(kept.len(), 1, "{kept:?}");
}

#[test]
fn a_segment_of_a_newer_version_stops_the_start_and_is_not_touched() {
    let disk = SimulatedDisk::new();
    run(&disk, &mut Promised::default());
    let (path, _) = disk.read_dir(&options().dir).expect("a folder")[0].clone();
    let file = disk.open(&path).expect("there");
    let mut header = [0; 32];
    file.read_at(&mut header, 0).expect("read");
    header[6] = 9;
    let checksum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &header[..24]) as u32;
    header[24..28].copy_from_slice(&checksum.to_le_bytes());
    file.write_all_at(&header, 0).expect("written");
    let before = disk.operations();
    let error = open_log(&disk, 1).expect_err("refused");
    assert!(matches!(error, OpenError::Newer { version: 9, .. }), "{error}");
    assert!(
        disk.operations() <= before + 4,
        "only the folders were made sure of"
    );
}

#[test]
fn a_log_of_another_directory_is_refused() {
    let disk = SimulatedDisk::new();
    run(&disk, &mut Promised::default());
    let budget = Budget::new(1 << 20, 1_000);
    let random: Arc<dyn Random> = SeededRandom::new(1);
    let error = open(&options(), &disk.shared(), &random, FILE, &budget, &mut |_| 0).expect_err("refused");
    assert!(matches!(error, OpenError::Foreign(_)), "{error}");
}

#[test]
fn an_imported_file_is_taken_once_however_often_it_is_sent() {
    let disk = SimulatedDisk::new();
    let mut world = World::new(&disk, 1).expect("opens");
    assert_eq!(
        (world.line(1, b"a"), world.line(2, b"b"), world.line(1, b"a")),
        (Some(1), Some(1), Some(0))
    );
    let found = disk.kill();
    let mut world = World::new(&found, 2).expect("opens");
    assert_eq!((world.line(2, b"b"), world.line(3, b"c")), (Some(0), Some(1)));
}

#[test]
fn a_plan_that_is_given_up_lets_its_pings_wait_again() {
    let disk = SimulatedDisk::new();
    let mut world = World::new(&disk, 1).expect("opens");
    let ids: Vec<_> = world.pings(&[body(1), body(2)]).into_iter().flatten().collect();
    assert!(world.plan(1, &ids) && world.done(1, 0, vec![(1, 1)]));
    let (opened, _) = open_log(&disk.kill(), 2).expect("opens");
    assert_eq!(
        (opened.recovered.waiting.len(), opened.recovered.plans.len()),
        (2, 0)
    );
    assert_eq!(opened.recovered.counters.chunked, 0);
}
