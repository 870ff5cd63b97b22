//! Damage in the log: what is there is kept elsewhere before it goes, whatever the folder for it and the power do.

use std::path::{Path, PathBuf};

use disk::{Disk, Moment, SimulatedDisk, SyncKind};

use super::world::*;
use crate::log::damage::Damaged;
use crate::log::message::Message;
use crate::log::segment;

fn content(disk: &SimulatedDisk, path: &Path) -> Option<Vec<u8>> {
    let len = disk.file_len(path).expect("known")?;
    let mut bytes = vec![0; len as usize];
    let file = disk.open_read(path).expect("there");
    assert_eq!(file.read_at(&mut bytes, 0).expect("readable"), bytes.len());
    Some(bytes)
}

fn first_segment() -> PathBuf {
    segment::path(&options().dir, 1)
}

/// What the folder for damage holds, by name.
fn pieces(disk: &SimulatedDisk) -> Vec<(String, Vec<u8>)> {
    let listed = disk.read_dir(&options().damaged_dir).unwrap_or_default();
    listed
        .into_iter()
        .filter_map(|(path, _)| {
            let name = path.file_name()?.to_str()?.to_owned();
            Some((name, content(disk, &path)?))
        })
        .collect()
}

/// A log whose first segment cannot be read, as its header is overwritten, and which nothing waits in; and what lies there.
fn with_a_rotten_head() -> (SimulatedDisk, Vec<u8>) {
    let disk = SimulatedDisk::new();
    let mut world = World::new(&disk, 1).expect("opens");
    let given: Vec<_> = world.pings(&[body(1), body(2)]).into_iter().flatten().collect();
    assert_eq!(given.len(), 2);
    let found = disk.kill();
    let file = found.open(&first_segment()).expect("there");
    file.write_all_at(&[0xff; 4], 8)
        .and_then(|()| file.sync())
        .expect("damaged");
    let rotten = content(&found, &first_segment()).expect("there");
    (found, rotten)
}

/// Logs a ping, a plan for it, and that this is done: then settled segments are removed.
fn settle_one(world: &mut World, plan: u64) {
    let ids: Vec<_> = world.pings(&[body(9)]).into_iter().flatten().collect();
    assert!(world.plan(plan, &ids));
    let released = vec![(world.segment_of(ids[0]), 1), (world.plan_segment, 1)];
    assert!(world.done(plan, 1, released));
}

/// Flips a bit of the ping that was logged last.
fn flip_in_the_last_ping(disk: &SimulatedDisk, world: &World) {
    let position = world
        .watched
        .logged
        .lock()
        .expect("no panic holds it")
        .last()
        .expect("logged")
        .position;
    let file = disk
        .open(&segment::path(&options().dir, position.segment))
        .expect("there");
    let (mut byte, at) = ([0], position.offset() + 40);
    file.read_at(&mut byte, at).expect("readable");
    file.write_all_at(&[byte[0] ^ 1], at).expect("flipped");
}

#[test]
fn of_a_last_group_with_a_flipped_bit_a_copy_is_kept_that_counts_as_no_damage() {
    let disk = SimulatedDisk::new();
    let mut world = World::new(&disk, 1).expect("opens");
    assert!(
        world
            .pings(&[body(1)])
            .iter()
            .chain(&world.pings(&[body(2)]))
            .all(Option::is_some)
    );
    let sound = disk.kill();
    open_log(&sound, 2).expect("opens");
    assert_eq!(pieces(&sound), [], "all of it is whole");
    flip_in_the_last_ping(&disk, &world);
    let flipped = content(&disk, &first_segment()).expect("there");
    for start in 2..5 {
        open_log(&disk, start).expect("opens");
        let kept = pieces(&disk);
        let [(name, bytes)] = &kept[..] else {
            panic!("{kept:?}");
        };
        let at = name
            .strip_prefix("tail-0000000000000001-")
            .and_then(|rest| rest.strip_suffix(".bytes"));
        let at: usize = at.and_then(|at| at.parse().ok()).expect("named by its place");
        assert_eq!(bytes, &flipped[at..at + bytes.len()]);
        assert!(
            bytes.windows(8).any(|some| body(2).starts_with(some)),
            "the ping is in it"
        );
        let folder = options().damaged_dir;
        assert_eq!(Damaged::new(&disk, &folder).pieces().expect("listed"), 0);
    }
}

#[test]
fn however_often_a_tail_is_cut_a_few_are_kept_and_none_where_room_is_scarce() {
    let disk = SimulatedDisk::new();
    for start in 1..=20 {
        let mut world = World::new(&disk, start).expect("opens");
        assert!(world.pings(&[body(1)])[0].is_some());
        flip_in_the_last_ping(&disk, &world);
    }
    let kept = pieces(&disk);
    assert_eq!(kept.len(), 8, "{kept:?}");
    assert!(
        kept[7].0.starts_with("tail-0000000000000019-"),
        "the newest: {kept:?}"
    );
    disk.set_capacity(disk.used_bytes() + 2 * SEGMENT_BYTES);
    open_log(&disk, 21).expect("opens");
    assert_eq!(pieces(&disk), kept, "the start needs the room");
}

#[test]
fn a_flipped_bit_in_any_segments_header_costs_nothing() {
    let (disk, mut promised) = (SimulatedDisk::new(), Promised::default());
    run(&disk, &mut promised);
    let listed = disk.read_dir(&options().dir).expect("a folder");
    let segments: Vec<_> = listed
        .into_iter()
        .filter_map(|(path, _)| segment::number(&path).map(|_| path))
        .collect();
    for path in &segments {
        for bit in 0..segment::SEGMENT_HEADER_BYTES as usize * 8 {
            let found = disk.kill();
            let file = found.open(path).expect("there");
            let mut byte = [0];
            file.read_at(&mut byte, bit as u64 / 8).expect("readable");
            file.write_all_at(&[byte[0] ^ 1 << (bit % 8)], bit as u64 / 8)
                .expect("written");
            let what = format!("bit {bit} of {}", path.display());
            let (opened, _) = open_log(&found, 8).unwrap_or_else(|error| panic!("{what}: {error}"));
            check(&opened, &promised, &what);
            assert!(pieces(&found).is_empty(), "{what}");
        }
    }
}

/// Where these bytes lie: in the first segment, or in pieces, by their names.
fn places_of(disk: &SimulatedDisk, bytes: &[u8]) -> Vec<String> {
    let log = content(disk, &first_segment()).map(|content| ("log".to_owned(), content));
    let found = log.into_iter().chain(pieces(disk));
    found
        .filter(|(_, content)| content == bytes)
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn damage_that_cannot_be_set_aside_stays_until_it_can() {
    let (disk, rotten) = with_a_rotten_head();
    let stays = |disk: &SimulatedDisk, what: &str| {
        assert_eq!(places_of(disk, &rotten).len(), 1, "{what}");
        for seed in 0..20 {
            let found = disk.crash(seed);
            assert!(!places_of(&found, &rotten).is_empty(), "{what}, seed {seed}");
        }
    };
    disk.fail_syncs(|path, _| path.starts_with("/damaged"));
    let mut world = World::new(&disk, 2).expect("opens all the same");
    settle_one(&mut world, 1);
    stays(&disk, "the running process");
    for seed in 3..6 {
        open_log(&disk, seed).expect("opens");
        stays(&disk, "a start");
    }
    disk.heal();
    let mut world = World::new(&disk, 7).expect("opens");
    settle_one(&mut world, 2);
    assert_eq!(content(&disk, &first_segment()), None, "its room comes back");
    stays(&disk, "all is well again");
}

#[test]
fn on_a_full_disk_damage_stays_until_there_is_room() {
    for spare_bytes in 0..20 {
        let (disk, rotten) = with_a_rotten_head();
        // No room for a copy; whether the segment can be moved, the disk decides.
        disk.set_capacity(disk.used_bytes() + SEGMENT_BYTES * 2 + spare_bytes * 100);
        for seed in 2..5 {
            if open_log(&disk, seed).is_ok() {
                disk.set_capacity(disk.used_bytes());
            }
            assert!(!places_of(&disk, &rotten).is_empty(), "{spare_bytes}, {seed}");
        }
        disk.heal();
        open_log(&disk, 7).expect("opens");
        assert_eq!(content(&disk, &first_segment()), None, "its room comes back");
        assert!(!places_of(&disk, &rotten).is_empty());
    }
}

#[test]
fn where_there_is_no_room_for_pieces_the_whole_segment_is_moved() {
    let (disk, rotten) = with_a_rotten_head();
    disk.fail_syncs(|path, kind| kind == SyncKind::File && path.starts_with("/damaged"));
    open_log(&disk, 2).expect("opens");
    assert_eq!(content(&disk, &first_segment()), None);
    assert_eq!(places_of(&disk, &rotten), ["0000000000000001.log"]);
}

#[test]
fn a_piece_that_an_earlier_try_left_in_part_is_not_taken_for_the_whole() {
    for part in [0, 1, 100, 4_000] {
        let (disk, rotten) = with_a_rotten_head();
        let part = rotten[..part.min(rotten.len() - 1)].to_vec();
        let left = disk
            .create_new(&options().damaged_dir.join("0000000000000001-0.bytes"))
            .expect("made");
        left.write_all_at(&part, 0).expect("written");
        open_log(&disk, 2).expect("opens");
        let found = disk.crash(3);
        assert_eq!(places_of(&found, &rotten), ["0000000000000001-0-2.bytes"]);
        assert!(pieces(&found).len() <= 2);
    }
}

#[test]
fn the_same_damage_is_kept_once_however_often_it_is_met() {
    let (disk, mut promised) = (SimulatedDisk::new(), Promised::default());
    run(&disk, &mut promised);
    let (opened, _) = open_log(&disk.kill(), 1).expect("opens");
    let victim = opened.recovered.waiting[0].position;
    let found = disk.kill();
    let file = found
        .open(&segment::path(&options().dir, victim.segment))
        .expect("there");
    file.write_all_at(&[0xff; 8], victim.offset() + 32)
        .expect("written");
    for seed in 2..6 {
        open_log(&found, seed).expect("opens");
        assert_eq!(pieces(&found).len(), 1);
    }
}

#[test]
fn a_power_cut_while_damage_is_set_aside_leaves_it_in_one_place_at_least() {
    let (disk, rotten) = with_a_rotten_head();
    let undisturbed = disk.kill();
    open_log(&undisturbed, 2).expect("opens");
    for whole in [false, true] {
        for operation in 1..=undisturbed.operations() {
            for seed in 0..6 {
                let disk = disk.kill();
                if whole {
                    disk.fail_syncs(|path, kind| kind == SyncKind::File && path.starts_with("/damaged"));
                }
                disk.fail_at(operation, [Moment::Before, Moment::After][seed as usize % 2]);
                let _ = open_log(&disk, 2);
                let found = disk.crash(seed);
                let what = format!("operation {operation}, seed {seed}");
                let in_log = content(&found, &first_segment()).is_some_and(|bytes| bytes == rotten);
                let kept = pieces(&found);
                assert!(
                    in_log || kept.iter().any(|(_, bytes)| *bytes == rotten),
                    "{what}: {kept:?}"
                );
                let broken = |(name, bytes): &(String, Vec<u8>)| !name.ends_with(".new") && *bytes != rotten;
                assert!(!kept.iter().any(broken), "{what}: a name on a part: {kept:?}");
                open_log(&found, 3).unwrap_or_else(|error| panic!("{what}: {error}"));
                let kept = pieces(&found);
                assert!(kept.iter().any(|(_, bytes)| *bytes == rotten), "{what}: {kept:?}");
                assert!(
                    !kept.iter().any(|(name, _)| name.ends_with(".new")),
                    "{what}: {kept:?}"
                );
            }
        }
    }
}

/// A disk whose first segment lies before a gap, and what lies there; the folder for damage may be another file system.
fn with_a_segment_before_a_gap(elsewhere: bool) -> (SimulatedDisk, Vec<u8>) {
    let disk = SimulatedDisk::new();
    for seed in 1..5 {
        let mut world = World::new(&disk, seed).expect("opens");
        world.pings(&[body(1)])[0].expect("logged, and waits");
    }
    if elsewhere {
        disk.mount(&options().damaged_dir).expect("mounted");
    }
    let before_a_gap = disk
        .create_new(&first_segment())
        .or_else(|_| disk.open(&first_segment()))
        .expect("there");
    before_a_gap
        .write_all_at(b"settled long ago", 0)
        .expect("written");
    before_a_gap.sync().expect("synced");
    disk.sync_dir(&options().dir).expect("synced");
    let gap = segment::path(&options().dir, 2);
    if disk.file_len(&gap).expect("known").is_some() {
        disk.remove_file(&gap).expect("removed");
    }
    let here = content(&disk, &first_segment()).expect("there");
    (disk, here)
}

#[test]
fn a_segment_is_set_aside_whole_though_the_folder_for_it_is_another_file_system() {
    let (undisturbed, here) = with_a_segment_before_a_gap(true);
    let before = undisturbed.operations();
    open_log(&undisturbed, 2).expect("opens");
    assert!(pieces(&undisturbed).iter().any(|(_, bytes)| *bytes == here));
    assert_eq!(content(&undisturbed, &first_segment()), None);
    for operation in before + 1..=undisturbed.operations() {
        for seed in 0..4 {
            let (disk, here) = with_a_segment_before_a_gap(true);
            disk.fail_at(operation, [Moment::Before, Moment::After][seed as usize % 2]);
            let _ = open_log(&disk, 2);
            let found = disk.crash(seed);
            let in_log = content(&found, &first_segment()).is_some_and(|bytes| bytes == here);
            let kept = pieces(&found);
            let what = format!("operation {operation}, seed {seed}");
            assert!(
                in_log || kept.iter().any(|(_, bytes)| *bytes == here),
                "{what}: {kept:?}"
            );
        }
    }
}

#[test]
fn a_segment_that_is_set_aside_takes_no_other_ones_place() {
    let (disk, here) = with_a_segment_before_a_gap(false);
    let another = disk
        .create_new(&options().damaged_dir.join("0000000000000001.log"))
        .expect("made");
    another.write_all_at(b"of another log", 0).expect("written");
    open_log(&disk, 2).expect("opens");
    let kept = pieces(&disk);
    assert_eq!(
        kept,
        [
            ("0000000000000001-2.log".to_owned(), here),
            ("0000000000000001.log".to_owned(), b"of another log".to_vec()),
        ]
    );
}

#[test]
fn a_ping_that_rots_under_the_running_process_and_cannot_be_set_aside_keeps_its_segment() {
    let disk = SimulatedDisk::new();
    let mut world = World::new(&disk, 1).expect("opens");
    let id = world.pings(&[body(1)])[0].expect("logged");
    let position = world.watched.logged.lock().expect("no panic holds it")[0].position;
    assert_eq!(world.segment_of(id), 1);
    world.commit(vec![Message::Release {
        released: vec![(1, 1)],
        pings: 1,
        unkept: vec![position],
    }]);
    disk.fail_syncs(|path, _| path.starts_with("/damaged"));
    let ping = {
        let whole = content(&disk, &first_segment()).expect("there");
        whole[position.offset() as usize..][..position.length as usize].to_vec()
    };
    let holds = |bytes: &[u8]| bytes.windows(ping.len()).any(|window| window == ping);
    let stays = |disk: &SimulatedDisk| {
        let in_log = content(disk, &first_segment()).is_some_and(|bytes| holds(&bytes));
        in_log || pieces(disk).iter().any(|(_, bytes)| holds(bytes))
    };
    for plan in 1..20 {
        settle_one(&mut world, plan);
        assert!((0..20).all(|seed| stays(&disk.crash(seed))), "after {plan} plans");
    }
    disk.heal();
    settle_one(&mut world, 20);
    assert!(content(&disk, &first_segment()).is_none(), "its room comes back");
    assert!((0..20).all(|seed| stays(&disk.crash(seed))));
}
