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
    full(file.allocate(1001));
    full(file.write_all_at(&[2; 500], 600));
    assert_eq!(
        content(&disk, path("/f")),
        Some([vec![1; 600], vec![2; 400]].concat())
    );
    full(disk.create_new(path("/g")).map(drop));
    disk.remove_file(path("/f")).unwrap();
    full(disk.create_new(path("/g")).map(drop));
    drop(file);
    disk.create_new(path("/g"))
        .expect("neither a name nor a handle holds the bytes any more");
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
