//! While the power is on, the simulated disk is a file system like the real one: the same steps end the same way and leave
//! the same files.

use std::path::Path;

use crate::steps::{FILES, FOLDERS, Step, content, step, take};
use disk::{Disk, File, RealDisk, SimulatedDisk};
use proptest::prelude::*;

fn entries(disk: &dyn Disk, root: &Path, folder: &str) -> Option<Vec<(String, bool)>> {
    let entries = disk.read_dir(&root.join(folder)).ok()?;
    let named = |(path, is_folder): (std::path::PathBuf, bool)| {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        (name, is_folder)
    };
    Some(entries.into_iter().map(named).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_same_steps_leave_the_same_files(steps in prop::collection::vec(step(), 0..40)) {
        let folder = tempfile::tempdir().unwrap();
        let (real, simulated) = (RealDisk, SimulatedDisk::new());
        let (real_root, simulated_root) = (folder.path(), Path::new("/"));
        for folder in ["a", "b"] {
            take(&real, real_root, &Step::CreateDir(folder)).unwrap();
            take(&simulated, simulated_root, &Step::CreateDir(folder)).unwrap();
        }
        for step in &steps {
            let (expected, got) = (take(&real, real_root, step), take(&simulated, simulated_root, step));
            prop_assert_eq!(got, expected, "{:?}", step);
        }
        for file in FILES {
            let (expected, got) = (content(&real, &real_root.join(file)), content(&simulated, &simulated_root.join(file)));
            prop_assert!(got == expected, "{} differs", file);
        }
        for folder in FOLDERS {
            prop_assert_eq!(entries(&simulated, simulated_root, folder), entries(&real, real_root, folder));
        }
    }
}

#[test]
fn a_folder_is_no_file_and_a_file_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let disks: [(&dyn Disk, &Path); 2] = [
        (&RealDisk, folder.path()),
        (&SimulatedDisk::new(), Path::new("/")),
    ];
    for (disk, root) in disks {
        disk.create_dir(&root.join("folder")).unwrap();
        disk.create_dir(&root.join("folder"))
            .expect("an existing folder is no error");
        disk.create_new(&root.join("file")).unwrap();
        let kind = |result: std::io::Result<()>| result.map_err(|error| error.kind());
        assert!(disk.create_dir(&root.join("file")).is_err());
        assert!(disk.sync_dir(&root.join("file")).is_err());
        assert!(disk.open(&root.join("folder")).is_err());
        assert!(disk.remove_file(&root.join("folder")).is_err());
        assert!(disk.rename(&root.join("file"), &root.join("folder")).is_err());
        assert_eq!(disk.file_len(&root.join("folder")).unwrap(), None);
        assert_eq!(disk.file_len(&root.join("file/below")).unwrap(), None);
        let long = root.join("n".repeat(256));
        assert_eq!(
            kind(disk.create_new(&long).map(drop)),
            Err(std::io::ErrorKind::InvalidFilename)
        );
        assert!(disk.free_bytes(root).unwrap() > 0);
        assert!(disk.free_bytes(&root.join("none")).is_err());
    }
}

#[test]
fn a_file_lives_on_while_it_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let disks: [(&dyn Disk, &Path); 2] = [
        (&RealDisk, folder.path()),
        (&SimulatedDisk::new(), Path::new("/")),
    ];
    for (disk, root) in disks {
        let file = disk.create_new(&root.join("file")).unwrap();
        disk.remove_file(&root.join("file")).unwrap();
        disk.sync_dir(root).unwrap();
        file.write_all_at(b"still", 0).unwrap();
        file.sync().unwrap();
        assert_eq!(file.len().unwrap(), 5);
        let read_only = disk
            .create_new(&root.join("other"))
            .and_then(|_| disk.open_read(&root.join("other")))
            .unwrap();
        assert!(
            read_only.write_all_at(b"no", 0).is_err(),
            "opened for reading only"
        );
    }
}

#[test]
fn a_group_of_few_or_many_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let disks: [(&dyn Disk, &Path); 2] = [
        (&RealDisk, folder.path()),
        (&SimulatedDisk::new(), Path::new("/")),
    ];
    for (disk, root) in disks {
        assert!(disk.group(&root.join("none")).is_err());
        for number in [1, 20] {
            let mut group = disk.group(root).unwrap();
            let name = |file| root.join(format!("{number}-{file}"));
            let files: Vec<_> = (0..number)
                .map(|file| disk.create_new(&name(file)).unwrap())
                .collect();
            for file in &files {
                file.write_all_at(b"together", 0).unwrap();
            }
            let files: Vec<&dyn File> = files.iter().map(AsRef::as_ref).collect();
            group.sync(&files, &[]).unwrap();
            group.sync(&[], &[root]).unwrap();
        }
    }
}

#[test]
fn a_renamed_file_never_takes_anothers_place() {
    let folder = tempfile::tempdir().unwrap();
    let disks: [(&dyn Disk, &Path); 2] = [
        (&RealDisk, folder.path()),
        (&SimulatedDisk::new(), Path::new("/")),
    ];
    for (disk, root) in disks {
        let path = |name: &str| root.join(name);
        disk.create_new(&path("a"))
            .and_then(|file| file.write_all_at(b"a", 0))
            .unwrap();
        disk.create_new(&path("b"))
            .and_then(|file| file.write_all_at(b"bb", 0))
            .unwrap();
        let kind = |result: std::io::Result<()>| result.map_err(|error| error.kind());
        assert_eq!(
            kind(disk.rename_new(&path("a"), &path("b"))),
            Err(std::io::ErrorKind::AlreadyExists)
        );
        disk.rename_new(&path("a"), &path("c")).unwrap();
        let lengths = ["a", "b", "c"].map(|name| disk.file_len(&path(name)).unwrap());
        assert_eq!(lengths, [None, Some(2), Some(1)]);
    }
}
