//! A file that is replaced as a whole, with the power cut or an error at every operation.

use std::path::Path;

use disk::{Disk, Moment, SimulatedDisk, SyncKind, replace};

const PATH: &str = "/folder/file";

/// A disk on which the file has this content, durably, if any.
fn disk_with(content: Option<&[u8]>) -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    disk.create_dir(Path::new("/folder")).expect("made");
    disk.sync_dir(Path::new("/")).expect("synced");
    if let Some(content) = content {
        replace(&disk, Path::new(PATH), content).expect("written");
    }
    disk
}

fn content(disk: &SimulatedDisk) -> Option<Vec<u8>> {
    let file = disk.open_read(Path::new(PATH)).ok()?;
    let mut bytes = vec![0; file.len().expect("a length") as usize];
    assert_eq!(file.read_at(&mut bytes, 0).expect("read"), bytes.len());
    Some(bytes)
}

#[test]
fn a_power_cut_at_any_operation_leaves_the_old_content_or_the_new_and_the_next_try_works() {
    let (new, another) = (vec![b'n'; 5_000], vec![b'a'; 700]);
    for old in [None, Some(vec![b'o'; 3_000])] {
        let undisturbed = disk_with(old.as_deref()).kill();
        replace(&undisturbed, Path::new(PATH), &new).expect("replaced");
        for operation in 1..=undisturbed.operations() {
            for seed in 0..20 {
                let disk = disk_with(old.as_deref()).kill();
                disk.fail_at(operation, [Moment::Before, Moment::After][seed as usize % 2]);
                let replaced = replace(&disk, Path::new(PATH), &new);
                let found = disk.crash(seed);
                let what = format!("operation {operation}, seed {seed}");
                let (is, was) = (content(&found), old.clone());
                assert!(
                    is == was || is.as_ref() == Some(&new),
                    "{what}: {:?}",
                    is.map(|is| is.len())
                );
                assert!(
                    replaced.is_err() || content(&found).as_ref() == Some(&new),
                    "{what}: told and not there"
                );
                replace(&found, Path::new(PATH), &another).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(content(&found.crash(seed)).as_ref(), Some(&another), "{what}");
            }
        }
    }
}

#[test]
fn a_sync_that_fails_is_told_and_the_next_try_is_durable() {
    let disk = disk_with(Some(b"old"));
    disk.fail_syncs(|_, kind| kind == SyncKind::File);
    replace(&disk, Path::new(PATH), b"new").expect_err("the sync failed");
    assert_eq!(content(&disk).as_deref(), Some(&b"old"[..]));
    let disk = disk.kill();
    replace(&disk, Path::new(PATH), b"new").expect("works again");
    for seed in 0..20 {
        assert_eq!(
            content(&disk.kill().crash(seed)).as_deref(),
            Some(&b"new"[..]),
            "seed {seed}"
        );
    }
}
