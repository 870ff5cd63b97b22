//! The identity of a data directory against power cuts: once it was given out, it is the one that is found.

use std::path::Path;

use disk::{Moment, SimulatedDisk, SyncKind};
use service::directory::{DataDirectory, DirectoryError};
use service::random::SeededRandom;

const ROOT: &str = "/srv/data";

fn open(disk: &SimulatedDisk, seed: u64) -> Result<[u8; 16], DirectoryError> {
    DataDirectory::open(disk, Path::new(ROOT), &*SeededRandom::new(seed)).map(|found| found.incarnation())
}

/// The first identity that was given out and is not found after a power cut, however the power cut falls: within the
/// first start, or after a start that followed a killed one.
fn lost(prepare: impl Fn(&SimulatedDisk)) -> Option<String> {
    let whole = SimulatedDisk::new();
    open(&whole, 1).expect("made");
    for operation in 1..=whole.operations() + 1 {
        for moment in [Moment::Before, Moment::After] {
            for seed in 0..16 {
                let disk = SimulatedDisk::new();
                prepare(&disk);
                disk.fail_at(operation, moment);
                let given = open(&disk, 1).ok();
                let cut = disk.crash(seed);
                let at = format!("operation {operation}, {moment:?}, seed {seed}");
                match (given, open(&cut, 2)) {
                    (_, Err(error)) => return Some(format!("{at}: {error}")),
                    (Some(given), Ok(found)) if given != found => return Some(at),
                    _ => {}
                }
                let killed = disk.kill();
                prepare(&killed);
                let Ok(given) = open(&killed, 3) else {
                    return Some(format!("{at}: not to be opened after a kill"));
                };
                if open(&killed.crash(seed), 4).ok() != Some(given) {
                    return Some(format!("{at}: lost after a kill"));
                }
            }
        }
    }
    None
}

#[test]
fn an_identity_that_was_given_out_survives_every_power_cut() {
    assert_eq!(lost(|_| {}), None);
}

#[test]
fn no_sync_of_its_making_can_be_left_out() {
    let omit = |path: &'static str, kind: SyncKind| {
        move |disk: &SimulatedDisk| disk.omit_syncs(move |of, what| of == Path::new(path) && what == kind)
    };
    assert!(
        lost(omit("/srv/data/identity.new", SyncKind::File)).is_some(),
        "the identity's bytes"
    );
    assert!(
        lost(omit("/srv/data", SyncKind::Folder)).is_some(),
        "the entries of the directory"
    );
    assert!(
        lost(omit("/srv", SyncKind::Folder)).is_some(),
        "the entry of the directory itself"
    );
    assert!(
        lost(omit("/", SyncKind::Folder)).is_some(),
        "the entry of the folder above it"
    );
}
