//! Pings that wait are copied forward: a power cut at any operation around the copy leaves each in the log once.

use disk::{Disk, Moment, SimulatedDisk};
use ping::RecordId;

use super::world::*;
use crate::log::frame::FrameKind;
use crate::log::recovery::Replay;

/// Rounds of many pings that are planned and done at once and one straggler; all stragglers are copied forward again and
/// again, and some are planned in the end, so that a plan names copies of several ages.
fn script(world: &mut World, promised: &mut Promised) {
    let mut stragglers: Vec<(RecordId, Vec<u8>)> = Vec::new();
    for plan in 1..=12_u64 {
        let bodies = [body(plan as usize), vec![b'x'; 500], vec![b'y'; 600]];
        let ids: Vec<_> = world.pings(&bodies).into_iter().flatten().collect();
        promised.pings.extend(ids.iter().copied().zip(bodies.clone()));
        let Some((straggler, mut listed)) = ids.split_first().map(|(first, rest)| (*first, rest.to_vec()))
        else {
            continue;
        };
        stragglers.push((straggler, bodies[0].clone()));
        if plan % 5 == 0 {
            listed.extend(stragglers.drain(..2).map(|(id, _)| id));
        }
        settle(world, promised, plan, &listed);
        if plan % 3 == 0 && !stragglers.is_empty() {
            world.copy(&stragglers);
        }
    }
}

/// Plans these and says they are done.
fn settle(world: &mut World, promised: &mut Promised, plan: u64, ids: &[RecordId]) {
    if !world.plan(plan, ids) {
        return;
    }
    promised.plans.insert(plan, ids.to_vec());
    promised.asked_done.insert(plan, ids.to_vec());
    let mut released: Vec<_> = ids.iter().map(|id| (world.segment_of(*id), 1)).collect();
    released.push((world.plan_segment, 1));
    if world.done(plan, ids.len() as u64, released) {
        promised.done.insert(plan);
    }
}

fn run(disk: &SimulatedDisk, promised: &mut Promised) {
    if let Ok(mut world) = World::new(disk, 7) {
        script(&mut world, promised);
    }
}

#[test]
fn stragglers_that_are_copied_forward_free_the_segments_they_pinned() {
    let (disk, mut promised) = (SimulatedDisk::new(), Promised::default());
    run(&disk, &mut promised);
    let segments = disk.read_dir(&options().dir).expect("a folder");
    assert!(segments.len() <= 3, "{segments:?}");
    let (opened, _) = open_log(&disk.kill(), 8).expect("opens");
    check(&opened, &promised, "after a kill");
    assert_eq!(
        opened.recovered.waiting.len(),
        12 - 4,
        "the stragglers in no plan"
    );
}

#[test]
fn a_power_cut_at_any_operation_around_a_copy_leaves_each_ping_once() {
    let disk = SimulatedDisk::new();
    run(&disk, &mut Promised::default());
    for operation in 1..=disk.operations() {
        for moment in [Moment::Before, Moment::After] {
            let (disk, mut promised) = (SimulatedDisk::new(), Promised::default());
            disk.fail_at(operation, moment);
            run(&disk, &mut promised);
            for seed in 0..6 {
                let what = format!("operation {operation} {moment:?}, seed {seed}");
                let found = disk.crash(seed);
                let (opened, _) = open_log(&found, seed).unwrap_or_else(|error| panic!("{what}: {error}"));
                check(&opened, &promised, &what);
                let damaged = damage_in(&found);
                assert!(damaged.is_empty(), "{what}: {damaged:?}");
                // And once more, after a power cut right after the start.
                let (opened, _) = open_log(&found.crash(seed), seed).expect("opens");
                check(&opened, &promised, &what);
            }
        }
    }
}

#[test]
fn a_copy_that_could_not_be_synced_frees_nothing() {
    let disk = SimulatedDisk::new();
    let mut world = World::new(&disk, 7).expect("opens");
    let mut promised = Promised::default();
    let id = world.pings(&[body(1)])[0].expect("logged");
    promised.pings.insert(id, body(1));
    disk.fail_syncs(|_, _| true);
    assert!(!world.copy(&[(id, body(1))]));
    disk.heal();
    for found in [disk.kill(), disk.crash(1), disk.crash(2)] {
        let (opened, _) = open_log(&found, 1).expect("opens");
        check(&opened, &promised, "after the failed copy");
        assert_eq!(opened.recovered.waiting.len(), 1);
    }
}

#[test]
fn a_record_that_is_read_twice_is_planned_once() {
    let record = index_schema::proto::PingRecord {
        incarnation: OWN.as_bytes().to_vec().into(),
        sequence: 7,
        ..Default::default()
    };
    let payload = prost::Message::encode_to_vec(&record);
    let mut replay = Replay::new(OWN);
    for (segment, kind) in [(1, FrameKind::Ping), (3, FrameKind::Copy), (5, FrameKind::Copy)] {
        let position = crate::log::position::Position::new(segment, 64, payload.len());
        replay
            .apply(kind, &payload, position, &mut |_| 0)
            .expect("a record");
    }
    let recovered = replay.finish();
    let segments: Vec<_> = recovered
        .waiting
        .iter()
        .map(|ping| ping.position.segment)
        .collect();
    assert_eq!(segments, [5]);
}
