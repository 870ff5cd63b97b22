//! Random things to do to a disk, for the property tests.

use std::io::ErrorKind;
use std::path::Path;

use disk::Disk;
use proptest::prelude::*;

/// Names of files. One of them goes through a name that may be a file, one through a folder that may be missing.
pub(crate) const FILES: [&str; 6] = ["a/x", "a/y", "b/x", "b/y", "a/z/q", "a/x/y"];
/// Names of folders; the last one is not there at the start.
pub(crate) const FOLDERS: [&str; 3] = ["a", "b", "a/z"];

#[derive(Clone, Debug)]
pub(crate) enum Step {
    CreateNew(&'static str),
    Write(&'static str, Vec<u8>, u64),
    SetLen(&'static str, u64),
    Allocate(&'static str, u64),
    Rename(&'static str, &'static str),
    RenameNew(&'static str, &'static str),
    HardLink(&'static str, &'static str),
    Remove(&'static str),
    Sync(&'static str),
    SyncDir(&'static str),
    CreateDir(&'static str),
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let file = || prop::sample::select(&FILES[..]);
    let folder = || prop::sample::select(&FOLDERS[..]);
    let bytes = (1..=255_u8, 0..2000_usize).prop_map(|(byte, len)| vec![byte; len]);
    prop_oneof![
        4 => file().prop_map(Step::CreateNew),
        6 => (file(), bytes, 0..3000_u64).prop_map(|(file, bytes, at)| Step::Write(file, bytes, at)),
        1 => (file(), 0..5000_u64).prop_map(|(file, len)| Step::SetLen(file, len)),
        1 => (file(), 1..5000_u64).prop_map(|(file, len)| Step::Allocate(file, len)),
        2 => (file(), file()).prop_map(|(from, to)| Step::Rename(from, to)),
        2 => (file(), file()).prop_map(|(from, to)| Step::RenameNew(from, to)),
        1 => (file(), file()).prop_map(|(from, to)| Step::HardLink(from, to)),
        1 => file().prop_map(Step::Remove),
        2 => file().prop_map(Step::Sync),
        2 => folder().prop_map(Step::SyncDir),
        1 => folder().prop_map(Step::CreateDir),
    ]
}

/// Does the step below `root`, and tells how it ended.
pub(crate) fn take(disk: &dyn Disk, root: &Path, step: &Step) -> Result<(), ErrorKind> {
    let open = |file: &str| disk.open(&root.join(file));
    let done = match step {
        Step::CreateNew(file) => disk.create_new(&root.join(file)).map(drop),
        Step::Write(file, bytes, at) => open(file).and_then(|file| file.write_all_at(bytes, *at)),
        Step::SetLen(file, len) => open(file).and_then(|file| file.set_len(*len)),
        Step::Allocate(file, len) => open(file).and_then(|file| file.allocate(*len)),
        Step::Rename(from, to) => disk.rename(&root.join(from), &root.join(to)),
        Step::RenameNew(from, to) => disk.rename_new(&root.join(from), &root.join(to)),
        Step::HardLink(from, to) => disk.hard_link(&root.join(from), &root.join(to)),
        Step::Remove(file) => disk.remove_file(&root.join(file)),
        Step::Sync(file) => open(file).and_then(|file| file.sync()),
        Step::SyncDir(folder) => disk.sync_dir(&root.join(folder)),
        Step::CreateDir(folder) => disk.create_dir(&root.join(folder)),
    };
    done.map_err(|error| error.kind())
}

/// A file's bytes, or `None` when there is none of that name.
pub(crate) fn content(disk: &dyn Disk, path: &Path) -> Option<Vec<u8>> {
    let len = disk.file_len(path).unwrap()?;
    let mut bytes = vec![0xAA; usize::try_from(len).unwrap() + 10];
    let read = disk.open_read(path).unwrap().read_at(&mut bytes, 0).unwrap();
    assert_eq!(
        read as u64, len,
        "a read ends at the end of the file, and only there"
    );
    bytes.truncate(read);
    Some(bytes)
}
