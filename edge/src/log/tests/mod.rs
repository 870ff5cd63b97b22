//! The log over a disk that forgets: what was answered is found again, exactly once, after a power cut at any operation.

mod copies;
mod damage;
mod world;

use std::sync::Arc;

use disk::{Disk, Moment, SimulatedDisk, SyncKind};
use service::random::{Random, SeededRandom};

use crate::log::budget::LogBudget;
use crate::log::open::{OpenError, open};
use world::*;

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
    assert!(damage_in(&found).is_empty());
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
                assert!(damage_in(&found).is_empty(), "{what}: damage");
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
            let damaged = damage_in(&found);
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
fn a_segment_that_holds_nothing_more_becomes_room_for_the_next_one() {
    let settled_until = |operation: u64| {
        let disk = SimulatedDisk::new();
        disk.fail_at(operation, Moment::Before);
        if let Ok(mut world) = World::new(&disk, 7) {
            settling_script(&mut world, &mut Promised::default());
        }
        disk.kill()
    };
    let is_written = |disk: &SimulatedDisk| {
        let mut bytes = vec![0; SEGMENT_BYTES as usize];
        let read = disk
            .open(&options().dir.join("spare"))
            .and_then(|file| file.read_at(&mut bytes, 0));
        read.is_ok() && bytes.iter().any(|byte| *byte != 0)
    };
    let written = (1..=400).filter(|operation| is_written(&settled_until(*operation)));
    let written: Vec<u64> = written.collect();
    // Not only while a new segment is written there, before it gets its name.
    assert!(
        written.windows(4).any(|four| four[3] == four[0] + 3),
        "{written:?}"
    );
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
                    assert!(damage_in(&found).is_empty());
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
    let segment = crate::log::segment::path(&options().dir, victim.position.segment);
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
    write_version(&disk, &path, 9);
    let before = disk.operations();
    let error = open_log(&disk, 1).expect_err("refused");
    assert!(matches!(error, OpenError::Newer { version: 9, .. }), "{error}");
    assert!(
        disk.operations() <= before + 4,
        "only the folders were made sure of"
    );
}

#[test]
fn segments_of_version_1_are_read() {
    let (disk, mut promised) = (SimulatedDisk::new(), Promised::default());
    run(&disk, &mut promised);
    for (path, _) in disk.read_dir(&options().dir).expect("a folder") {
        if crate::log::segment::number(&path).is_some() {
            write_version(&disk, &path, 1);
        }
    }
    let (opened, _) = open_log(&disk.kill(), 8).expect("opens");
    check(&opened, &promised, "written by the version before");
}

/// Says in a segment's header that it is of this version.
fn write_version(disk: &SimulatedDisk, path: &std::path::Path, version: u8) {
    let file = disk.open(path).expect("there");
    let mut header = [0; 32];
    file.read_at(&mut header, 0).expect("read");
    header[6] = version;
    let checksum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &header[..24]) as u32;
    header[24..28].copy_from_slice(&checksum.to_le_bytes());
    file.write_all_at(&header, 0).expect("written");
}

#[test]
fn a_log_of_another_directory_is_refused() {
    let disk = SimulatedDisk::new();
    run(&disk, &mut Promised::default());
    let budget = LogBudget::new(1 << 20, 1_000);
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

/// The log's folder without its segments of these numbers, as somebody leaves it who removes files by hand.
fn without(disk: &SimulatedDisk, gone: impl Fn(usize, usize) -> bool) -> SimulatedDisk {
    let found = disk.kill();
    let listed = found.read_dir(&options().dir).expect("a folder");
    let segments: Vec<_> = listed
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| crate::log::segment::number(path).is_some())
        .collect();
    for (at, path) in segments.iter().enumerate() {
        if gone(at, segments.len()) {
            found.remove_file(path).expect("removed");
        }
    }
    found
}

#[test]
fn a_log_that_was_removed_by_hand_is_refused_and_no_number_is_given_twice() {
    let disk = SimulatedDisk::new();
    run(&disk, &mut Promised::default());
    let empty = without(&disk, |_, _| true);
    for _ in 0..2 {
        let error = open_log(&empty, 1).expect_err("refused");
        assert!(
            matches!(
                error,
                OpenError::Gone {
                    found: 0,
                    remembered: 1,
                    ..
                }
            ),
            "{error}"
        );
        let words = error.to_string();
        assert!(
            words.contains("holds no segment") && words.contains("Put the missing files back"),
            "{words}"
        );
    }
    // The way out that the words name: under another identity the log begins anew.
    let budget = LogBudget::new(1 << 20, 1_000);
    let random: Arc<dyn Random> = SeededRandom::new(1);
    let opened = open(&options(), &empty.shared(), &random, FILE, &budget, &mut |_| 0).expect("opens");
    assert_eq!(opened.recovered.counters.boot, 1);
}

#[test]
fn a_log_that_went_back_by_a_start_is_refused() {
    let disk = SimulatedDisk::new();
    run(&disk, &mut Promised::default());
    let older = disk.kill();
    let _second_start = World::new(&older, 7).expect("opens");
    let found = without(&older, |at, all| at + 1 == all);
    if found.read_dir(&options().dir).expect("a folder").len() < 2 {
        panic!("the first start left no segment: the test tests nothing");
    }
    let error = open_log(&found, 1).expect_err("refused").to_string();
    assert!(error.contains("ends at start 1"), "{error}");
}

#[test]
fn a_damaged_head_of_the_only_segment_gives_no_number_twice() {
    let disk = SimulatedDisk::new();
    let mut world = World::new(&disk, 1).expect("opens");
    let given: Vec<_> = world.pings(&[body(1), body(2)]).into_iter().flatten().collect();
    assert_eq!(given.len(), 2);
    let found = disk.kill();
    let head = crate::log::segment::path(&options().dir, 1);
    found
        .open(&head)
        .and_then(|file| file.write_all_at(&[0xff; 4], 8))
        .expect("damaged");
    let mut world = World::new(&found, 2).expect("opens: damage is set aside, loudly");
    let anew: Vec<_> = world.pings(&[body(3)]).into_iter().flatten().collect();
    assert_eq!(anew.len(), 1);
    assert!(anew.iter().all(|id| !given.contains(id)), "{anew:?} again");
    assert_eq!(found.read_dir(&options().damaged_dir).expect("a folder").len(), 1);
}
