//! What a test may do to the simulated disk: crash points, failing and lying syncs, failing reads, a full disk.

use std::io::ErrorKind;
use std::path::Path;

use crate::steps::content;
use disk::{Disk, Moment, SimulatedDisk, SyncKind};

fn path(name: &str) -> &Path {
    Path::new(name)
}

fn synced_file(disk: &SimulatedDisk, name: &str, bytes: &[u8]) -> Box<dyn disk::File> {
    let file = disk.create_new(path(name)).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    file.sync().unwrap();
    disk.sync_dir(path("/")).unwrap();
    file
}

#[test]
fn from_the_crash_point_on_nothing_works() {
    for (moment, len) in [(Moment::Before, 0), (Moment::After, 3)] {
        let disk = SimulatedDisk::new();
        let file = disk.create_new(path("/f")).unwrap();
        assert_eq!(disk.operations(), 1);
        disk.fail_at(2, moment);
        assert!(!disk.is_off());
        assert_eq!(file.len().unwrap(), 0, "reading is no operation");
        assert!(file.write_all_at(b"abc", 0).is_err());
        assert!(disk.is_off());
        assert!(file.sync().is_err() && file.len().is_err() && file.read_at(&mut [0], 0).is_err());
        assert!(disk.create_new(path("/g")).is_err() && disk.read_dir(path("/")).is_err());
        let found = disk.kill();
        assert_eq!(found.file_len(path("/f")).unwrap(), Some(len), "{moment:?}");
        found.create_new(path("/g")).expect("the found disk works");
    }
}

#[test]
fn a_sync_after_a_failed_one_succeeds_without_the_lost_pages() {
    let disk = SimulatedDisk::new();
    let file = synced_file(&disk, "/f", &[1; 8192]);
    let mut first = true;
    disk.fail_syncs(move |name, kind| {
        assert_eq!((name, kind), (Path::new("/f"), SyncKind::File));
        std::mem::take(&mut first)
    });
    file.write_all_at(&[2; 8192], 0).unwrap();
    assert!(file.sync().is_err());
    file.sync().expect("the pages count as clean");
    assert_eq!(
        content(&disk, path("/f")),
        Some(vec![2; 8192]),
        "the page cache shows what is lost"
    );
    let found = content(&disk.crash(1), path("/f")).unwrap();
    assert!(found.contains(&1) && found.contains(&2), "a part was written");
    file.write_all_at(&[3; 8192], 0).unwrap();
    file.sync().unwrap();
    assert_eq!(
        content(&disk.crash(1), path("/f")),
        Some(vec![3; 8192]),
        "what is written anew is synced"
    );
}

#[test]
fn of_a_group_with_a_failed_sync_nothing_is_written_by_a_later_sync() {
    let disk = SimulatedDisk::new();
    let files = ["/a", "/b", "/c"].map(|name| synced_file(&disk, name, &[1; 8192]));
    let mut group = disk.group(path("/")).unwrap();
    for file in &files {
        file.write_all_at(&[2; 8192], 0).unwrap();
    }
    disk.fail_syncs(|name, _| name == Path::new("/b"));
    let all: Vec<&dyn disk::File> = files.iter().map(AsRef::as_ref).collect();
    assert!(group.sync(&all, &[]).is_err());
    disk.heal();
    group.sync(&all, &[]).expect("the pages count as clean");
    let found = disk.crash(1);
    for (name, whole) in [("/a", true), ("/b", false), ("/c", false)] {
        let content = content(&found, path(name)).unwrap();
        assert_eq!(content == vec![2; 8192], whole, "{name}");
    }
}

#[test]
fn a_lying_sync_reports_success_and_does_nothing() {
    let disk = SimulatedDisk::new();
    disk.omit_syncs(|_, kind| kind == SyncKind::Folder);
    drop(synced_file(&disk, "/f", b"x"));
    let gone =
        |disk: &SimulatedDisk| (0..50).any(|seed| disk.crash(seed).file_len(path("/f")).unwrap().is_none());
    assert!(gone(&disk));
    disk.heal();
    disk.sync_dir(path("/")).unwrap();
    assert!(!gone(&disk), "what was left out is done by the next true sync");
}

#[test]
fn a_full_disk_takes_what_fits_and_has_room_again_after_a_removal() {
    let disk = SimulatedDisk::new();
    disk.set_capacity(1000);
    let file = disk.create_new(path("/f")).unwrap();
    file.allocate(600).unwrap();
    assert_eq!(disk.free_bytes(path("/")).unwrap(), 400);
    file.write_all_at(&[1; 600], 0).expect("the room is reserved");
    let full = |result: std::io::Result<()>| assert_eq!(result.unwrap_err().kind(), ErrorKind::StorageFull);
    assert!(
        file.write_all_at(&[2; 500], 600)
            .and_then(|()| file.sync())
            .is_err()
    );
    let found = content(&disk, path("/f")).unwrap();
    assert!(
        found.len() >= 1000 && found.starts_with(&[1; 600]) && found[600..].iter().all(|byte| *byte == 2)
    );
    full(disk.create_new(path("/g")).map(drop));
    disk.remove_file(path("/f")).unwrap();
    full(disk.create_new(path("/g")).map(drop));
    drop(file);
    disk.create_new(path("/g"))
        .expect("neither a name nor a handle holds the bytes any more");
}

#[test]
fn a_read_only_disk_is_read_and_nothing_of_it_changes() {
    let disk = SimulatedDisk::new();
    let file = disk.create_new(path("/f")).unwrap();
    file.write_all_at(b"before", 0).unwrap();
    disk.be_read_only();
    let refused = |result: std::io::Result<()>| {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::ReadOnlyFilesystem);
    };
    refused(file.write_all_at(b"after!", 0));
    refused(file.sync());
    refused(file.allocate(100));
    refused(disk.create_new(path("/g")).map(drop));
    refused(disk.rename(path("/f"), path("/g")));
    refused(disk.remove_file(path("/f")));
    assert_eq!(content(&disk, path("/f")).unwrap(), b"before");
    disk.heal();
    file.write_all_at(b"after!", 0).expect("it can be written again");
}

#[test]
fn a_reservation_that_fails_keeps_what_it_got() {
    let disk = SimulatedDisk::new();
    disk.set_capacity(1000);
    let file = disk.create_new(path("/f")).unwrap();
    assert_eq!(file.allocate(1001).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(
        (file.len().unwrap(), disk.free_bytes(path("/")).unwrap()),
        (1000, 0)
    );
    file.set_len(0).unwrap();
    assert_eq!(disk.free_bytes(path("/")).unwrap(), 1000);
}

#[test]
fn want_of_room_is_found_at_the_write_or_at_the_sync_and_by_new_names_now_and_then() {
    let (mut at_write, mut at_sync, mut renamed, mut refused) = (0, 0, 0, 0);
    for operations in 0..100 {
        let disk = SimulatedDisk::new();
        disk.create_dir(path("/d")).unwrap();
        for _ in 0..operations {
            disk.sync_dir(path("/")).unwrap();
        }
        let full = synced_file(&disk, "/full", &[1; 600]);
        let other = synced_file(&disk, "/other", b"");
        disk.set_capacity(1000);
        match full.write_all_at(&[2; 500], 600) {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::StorageFull);
                assert_eq!(full.len().unwrap(), 1000, "what fits is written");
                at_write += 1;
            }
            Ok(()) => {
                assert_eq!(full.sync().unwrap_err().kind(), ErrorKind::StorageFull);
                at_sync += 1;
            }
        }
        disk.rename(path("/other"), path("/full"))
            .expect("a name that is there needs no room");
        other.allocate(1000).unwrap_or_default();
        drop(full);
        other.write_all_at(&[3; 1000], 0).unwrap_or_default();
        match disk.rename(path("/full"), path("/d/new")) {
            Ok(()) => renamed += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::StorageFull);
                assert!(
                    disk.file_len(path("/full")).unwrap().is_some(),
                    "nothing is renamed"
                );
                refused += 1;
            }
        }
    }
    for times in [at_write, at_sync, renamed, refused] {
        assert!(
            times > 10,
            "{at_write} at the write, {at_sync} at the sync; {renamed} renamed, {refused} refused"
        );
    }
}

#[test]
fn chosen_files_cannot_be_read() {
    let disk = SimulatedDisk::new();
    disk.fail_reads(|name| name == Path::new("/f"));
    for (name, fails) in [("/f", true), ("/g", false)] {
        let file = synced_file(&disk, name, b"x");
        assert_eq!(file.read_at(&mut [0], 0).is_err(), fails);
    }
}
