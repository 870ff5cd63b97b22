//! What a power cut leaves, checked against a history that simply remembers everything there ever was since the last sync.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::steps::{FILES, Step, content, step, take};
use disk::{Disk, SimulatedDisk};
use proptest::prelude::*;

const ROOT: &str = "/";

/// Every state since the last sync: of each file all contents, of each name all files it led to.
#[derive(Default)]
struct History {
    contents: Vec<Vec<Vec<u8>>>,
    names: BTreeMap<&'static str, Vec<Option<usize>>>,
}

impl History {
    fn file_of(&self, name: &str) -> Option<usize> {
        *self.names.get(name)?.last()?
    }

    fn set(&mut self, name: &'static str, file: Option<usize>) {
        self.names.entry(name).or_insert_with(|| vec![None]).push(file);
    }

    /// Notes a step that succeeded.
    fn note(&mut self, disk: &dyn Disk, step: &Step) {
        match step {
            Step::CreateNew(name) => {
                self.contents.push(vec![Vec::new()]);
                self.set(name, Some(self.contents.len() - 1));
            }
            Step::Write(name, ..) | Step::SetLen(name, _) | Step::Allocate(name, _) => {
                let file = self.file_of(name).unwrap();
                self.contents[file].push(content(disk, &Path::new(ROOT).join(name)).unwrap());
            }
            Step::Rename(from, to) | Step::RenameNew(from, to) => {
                let file = self.file_of(from);
                if file != self.file_of(to) {
                    self.set(to, file);
                    self.set(from, None);
                }
            }
            Step::HardLink(from, to) => self.set(to, self.file_of(from)),
            Step::Remove(name) => self.set(name, None),
            Step::Sync(name) => {
                let file = self.file_of(name).unwrap();
                let states = &mut self.contents[file];
                states.drain(..states.len() - 1);
            }
            Step::SyncDir(folder) => {
                let inside = |name: &str| Path::new(name).parent() == Some(Path::new(folder));
                for states in self
                    .names
                    .iter_mut()
                    .filter(|(name, _)| inside(name))
                    .map(|(_, states)| states)
                {
                    states.drain(..states.len() - 1);
                }
            }
            Step::CreateDir(_) => {}
        }
    }

    /// Whether a file may be found with these bytes: each byte, and the length, as they once were.
    fn allows(&self, file: usize, found: &[u8]) -> bool {
        let states = &self.contents[file];
        let lens = || states.iter().map(Vec::len);
        let len_fits = lens().min() <= Some(found.len()) && Some(found.len()) <= lens().max();
        let byte_fits =
            |(at, byte): (usize, &u8)| states.iter().any(|state| state.get(at).unwrap_or(&0) == byte);
        len_fits && found.iter().enumerate().all(byte_fits)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_found_was_once_there_and_what_was_synced_is_there(
        steps in prop::collection::vec(step(), 0..40),
        seeds in prop::collection::vec(any::<u64>(), 4),
    ) {
        let disk = SimulatedDisk::new();
        for folder in ["/a", "/b", "/a/z"] {
            disk.create_dir(Path::new(folder)).unwrap();
            disk.sync_dir(Path::new(folder).parent().unwrap()).unwrap();
        }
        let mut history = History::default();
        for step in &steps {
            if take(&disk, Path::new(ROOT), step).is_ok() {
                history.note(&disk, step);
            }
        }
        for seed in seeds {
            let found = disk.crash(seed);
            for name in FILES {
                let states = history.names.get(name).cloned().unwrap_or_else(|| vec![None]);
                let allowed = match content(&found, &Path::new(ROOT).join(name)) {
                    None => states.contains(&None),
                    Some(bytes) => states.iter().flatten().any(|file| history.allows(*file, &bytes)),
                };
                prop_assert!(allowed, "{} cannot have been so", name);
            }
        }
        let killed = disk.kill();
        for name in FILES {
            let path = Path::new(ROOT).join(name);
            prop_assert!(content(&killed, &path) == content(&disk, &path), "a kill loses nothing of {}", name);
        }
    }
}

fn write(disk: &dyn Disk, name: &str, bytes: &[u8]) {
    let path = Path::new(name);
    let file = disk.open(path).or_else(|_| disk.create_new(path)).unwrap();
    file.write_all_at(bytes, 0).unwrap();
}

fn sync(disk: &dyn Disk, name: &str) {
    disk.open(Path::new(name)).unwrap().sync().unwrap();
}

fn root_synced(disk: &SimulatedDisk) {
    disk.sync_dir(Path::new(ROOT)).unwrap();
}

/// All that is found under the name, over many seeds.
fn all_found(disk: &SimulatedDisk, name: &str) -> BTreeSet<Option<Vec<u8>>> {
    (0..400)
        .map(|seed| content(&disk.crash(seed), Path::new(name)))
        .collect()
}

#[test]
fn each_sector_of_a_write_is_lost_or_kept_by_itself() {
    let disk = SimulatedDisk::new();
    write(&disk, "/f", &[1; 1536]);
    sync(&disk, "/f");
    root_synced(&disk);
    write(&disk, "/f", &[2; 1536]);
    let found = all_found(&disk, "/f");
    let sectors = |bytes: &Vec<u8>| (bytes[0], bytes[600], bytes[1400]);
    let outcomes: BTreeSet<_> = found.iter().flatten().map(sectors).collect();
    assert_eq!(outcomes.len(), 8, "old or new, three times over: {outcomes:?}");
    assert_eq!(found.len(), 8, "and nothing within a sector");
}

#[test]
fn a_grown_file_may_end_anywhere_and_hold_zeros() {
    let disk = SimulatedDisk::new();
    write(&disk, "/f", b"");
    root_synced(&disk);
    write(&disk, "/f", &[7; 1024]);
    let found = all_found(&disk, "/f");
    for expected in [
        vec![],
        vec![7; 512],
        vec![0; 512],
        vec![7; 1024],
        vec![0; 1024],
        [vec![0; 512], vec![7; 512]].concat(),
    ] {
        assert!(
            found.contains(&Some(expected.clone())),
            "{} bytes of {:?}",
            expected.len(),
            expected.first()
        );
    }
}

#[test]
fn a_synced_file_without_a_synced_name_may_be_gone() {
    let disk = SimulatedDisk::new();
    write(&disk, "/f", b"bytes");
    sync(&disk, "/f");
    assert_eq!(
        all_found(&disk, "/f"),
        BTreeSet::from([None, Some(b"bytes".to_vec())])
    );
    root_synced(&disk);
    assert_eq!(all_found(&disk, "/f"), BTreeSet::from([Some(b"bytes".to_vec())]));
}

#[test]
fn a_removed_name_may_come_back_until_its_folder_is_synced() {
    let disk = SimulatedDisk::new();
    write(&disk, "/f", b"bytes");
    sync(&disk, "/f");
    root_synced(&disk);
    disk.remove_file(Path::new("/f")).unwrap();
    assert_eq!(
        all_found(&disk, "/f"),
        BTreeSet::from([None, Some(b"bytes".to_vec())])
    );
    root_synced(&disk);
    assert_eq!(all_found(&disk, "/f"), BTreeSet::from([None]));
}

#[test]
fn a_rename_happens_whole_or_not() {
    let disk = SimulatedDisk::new();
    for (name, bytes) in [("/old", b"new"), ("/name", b"old")] {
        write(&disk, name, bytes);
        sync(&disk, name);
    }
    root_synced(&disk);
    disk.rename(Path::new("/old"), Path::new("/name")).unwrap();
    let both = |seed| {
        let found = disk.crash(seed);
        ["/old", "/name"].map(|name| content(&found, Path::new(name)))
    };
    let (before, after) = (
        [Some(b"new".to_vec()), Some(b"old".to_vec())],
        [None, Some(b"new".to_vec())],
    );
    assert_eq!(
        (0..100).map(both).collect::<BTreeSet<_>>(),
        BTreeSet::from([before, after])
    );
}

#[test]
fn a_later_name_may_survive_an_earlier_one_and_a_lost_folder_takes_all_with_it() {
    let disk = SimulatedDisk::new();
    write(&disk, "/1", b"");
    write(&disk, "/2", b"");
    disk.create_dir(Path::new("/folder")).unwrap();
    write(&disk, "/folder/3", b"");
    sync(&disk, "/folder/3");
    disk.sync_dir(Path::new("/folder")).unwrap();
    let found = |seed| {
        let found = disk.crash(seed);
        ["/1", "/2", "/folder/3"].map(|name| found.file_len(Path::new(name)).unwrap().is_some())
    };
    assert_eq!((0..400).map(found).collect::<BTreeSet<_>>().len(), 8);
}

#[test]
fn the_same_seed_finds_the_same_disk() {
    let disk = SimulatedDisk::new();
    write(&disk, "/f", &[9; 100_000]);
    root_synced(&disk);
    for seed in 0..20 {
        assert!(content(&disk.crash(seed), Path::new("/f")) == content(&disk.crash(seed), Path::new("/f")));
    }
}

#[test]
fn a_killed_process_leaves_bytes_that_are_still_not_synced() {
    let disk = SimulatedDisk::new();
    write(&disk, "/f", b"bytes");
    let killed = disk.kill();
    assert_eq!(content(&killed, Path::new("/f")), Some(b"bytes".to_vec()));
    assert!(all_found(&killed, "/f").contains(&None));
    sync(&killed, "/f");
    root_synced(&killed);
    assert_eq!(
        all_found(&killed, "/f"),
        BTreeSet::from([Some(b"bytes".to_vec())])
    );
}
