//! Every back end passes the one suite.

use std::path::Path;
use std::sync::Arc;

use disk::{Disk, RealDisk, SimulatedDisk};
use store::conformance::every_back_end_keeps_the_law;
use store::{Blocking, Crc32c, DirectoryStore, MemoryStore, Payload, Put, Store, StoreError};

fn directory_store(disk: &Arc<dyn Disk>, folder: &Path, blocking: Blocking) -> Arc<DirectoryStore> {
    let (root, staging) = (folder.join("store"), folder.join("staging"));
    disk.create_dir(&root).unwrap();
    Arc::new(DirectoryStore::new(Arc::clone(disk), root, staging, blocking))
}

#[tokio::test]
async fn memory_keeps_the_law() {
    let folder = tempfile::tempdir().unwrap();
    every_back_end_keeps_the_law(
        Arc::new(MemoryStore::default()),
        RealDisk::shared(),
        folder.path(),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_directory_keeps_the_law() {
    for blocking in [Blocking::Pool, Blocking::Inline] {
        let folder = tempfile::tempdir().unwrap();
        let disk = RealDisk::shared();
        let store = directory_store(&disk, folder.path(), blocking);
        every_back_end_keeps_the_law(store, disk, folder.path()).await;
        let staged = std::fs::read_dir(folder.path().join("staging")).unwrap();
        assert_eq!(staged.count(), 0, "no staging name outlives its put");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_directory_keeps_the_law() {
    for blocking in [Blocking::Pool, Blocking::Inline] {
        let disk = SimulatedDisk::new().shared();
        let store = directory_store(&disk, Path::new("/"), blocking);
        every_back_end_keeps_the_law(store, Arc::clone(&disk), Path::new("/")).await;
        assert_eq!(
            disk.read_dir(Path::new("/staging")).unwrap(),
            [],
            "no staging name outlives its put"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_on_a_file_system_of_its_own_keeps_the_law() {
    for blocking in [Blocking::Pool, Blocking::Inline] {
        let disk = SimulatedDisk::new();
        disk.create_dir(Path::new("/store")).unwrap();
        disk.mount(Path::new("/store")).unwrap();
        let disk = disk.shared();
        let store = directory_store(&disk, Path::new("/"), blocking);
        every_back_end_keeps_the_law(store, Arc::clone(&disk), Path::new("/")).await;
        for staging in ["/staging", "/store/.highwater-staging"] {
            assert_eq!(disk.read_dir(Path::new(staging)).unwrap(), [], "{staging}");
        }
    }
}

/// A folder on another file system than `beside`, where this machine has one at hand.
fn elsewhere(beside: &Path) -> Option<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    let device = |path| RealDisk.identity(path).ok().flatten().map(|found| found.device);
    if device(memory).is_none() || device(memory) == device(beside) {
        eprintln!("left out: /dev/shm is no file system of its own here");
        return None;
    }
    tempfile::tempdir_in(memory).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_a_link_to_another_file_system_keeps_the_law() {
    for blocking in [Blocking::Pool, Blocking::Inline] {
        let folder = tempfile::tempdir().unwrap();
        let Some(elsewhere) = elsewhere(folder.path()) else {
            return;
        };
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("store")).unwrap();
        let disk = RealDisk::shared();
        let store = directory_store(&disk, folder.path(), blocking);
        every_back_end_keeps_the_law(store, disk, folder.path()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_puts_at_one_time_some_may_go_through_a_link_to_another_file_system() {
    let folder = tempfile::tempdir().unwrap();
    let Some(elsewhere) = elsewhere(folder.path()) else {
        return;
    };
    let disk = RealDisk::shared();
    let store = directory_store(&disk, folder.path(), Blocking::Inline);
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("store/linked")).unwrap();
    let puts: Vec<(String, bytes::Bytes)> = (0..40)
        .map(|number| {
            let folder = if number % 3 == 0 { "linked" } else { "here" };
            (
                format!("{folder}/deep/{number:02}"),
                format!("object {number}").into(),
            )
        })
        .collect();
    assert!(
        store
            .put_together(&puts)
            .iter()
            .all(|put| *put == Ok(Put::Created))
    );
    let big = folder.path().join("big");
    let bytes = vec![7; 3 << 20];
    std::fs::write(&big, &bytes).unwrap();
    let payload = Payload::File {
        path: big,
        len: 3 << 20,
        crc: Crc32c::of(&bytes),
    };
    let put = store.put_if_absent("linked/big", payload.clone()).await;
    assert_eq!(put, Ok(Put::Created));
    assert_eq!(
        store.put_if_absent("linked/big", payload).await,
        Ok(Put::AlreadyThere)
    );
    let changed = folder.path().join("changed");
    std::fs::write(&changed, vec![8; 3 << 20]).unwrap();
    let payload = Payload::File {
        path: changed,
        len: 3 << 20,
        crc: Crc32c::of(&bytes),
    };
    let put = store.put_if_absent("linked/changed", payload).await;
    assert!(matches!(put, Err(StoreError::File { .. })), "{put:?}");
    assert_eq!(
        store.head("linked/changed").await,
        Ok(None),
        "no copy of it is visible"
    );
    for (key, bytes) in &puts {
        assert_eq!(store.get(key).await.as_ref(), Ok(bytes));
    }
    assert_eq!(store.get("linked/big").await.unwrap(), vec![7; 3 << 20]);
    let listed = store.list("", None, 100).await.unwrap().objects;
    let mut keys: Vec<&str> = puts.iter().map(|(key, _)| key.as_str()).collect();
    keys.push("linked/big");
    keys.sort_unstable();
    assert!(listed.iter().map(|object| object.key.as_str()).eq(keys));
    let staged = std::fs::read_dir(elsewhere.path().join(".highwater-staging")).unwrap();
    assert_eq!(staged.count(), 0, "no staging name outlives its put");
}

#[tokio::test]
async fn a_store_whose_folder_is_away_does_not_say_that_its_objects_are_gone() {
    let disk = RealDisk::shared();
    let folder = tempfile::tempdir().unwrap();
    let store = directory_store(&disk, folder.path(), Blocking::Inline);
    let (root, away) = (folder.path().join("store"), folder.path().join("away"));
    let put = store.put_if_absent("a/b", Payload::Bytes("x".into())).await;
    assert_eq!(put, Ok(Put::Created));
    std::fs::rename(&root, &away).unwrap();
    for error in [
        store.get("a/b").await.unwrap_err(),
        store.get_tail("a/b", 1).await.unwrap_err(),
        store.head("a/b").await.unwrap_err(),
    ] {
        assert!(
            matches!(&error, StoreError::Determinate { cause, .. } if cause.contains("cannot be read")),
            "{error}"
        );
    }
    std::fs::rename(&away, &root).unwrap();
    assert_eq!(store.get("a/b").await.unwrap(), "x");
}

#[tokio::test]
async fn a_folder_goes_with_its_last_object_and_comes_back_with_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (real, simulated) = (RealDisk::shared(), SimulatedDisk::new().shared());
    for (disk, place) in [(&real, folder.path()), (&simulated, Path::new("/"))] {
        let store = directory_store(disk, place, Blocking::Inline);
        let names = |folder: &str| {
            let entries = disk.read_dir(&place.join("store").join(folder));
            entries.map(|entries| entries.len()).unwrap_or(0)
        };
        for _ in 0..3 {
            for key in ["day/a/b/c/1", "day/a/b/c/2", "day/a/d/3", "later/a/4"] {
                let put = store.put_if_absent(key, Payload::Bytes("x".into())).await;
                assert_eq!(put, Ok(Put::Created));
            }
            store.delete("day/a/b/c/1").await.unwrap();
            assert_eq!((names("day/a/b/c"), names("day/a")), (1, 2));
            store.delete("day/a/b/c/2").await.unwrap();
            assert_eq!((names("day/a/b"), names("day/a")), (0, 1));
            store.delete("day/a/d/3").await.unwrap();
            assert_eq!((names(""), names("day")), (1, 0));
            store.delete("day/a/d/3").await.unwrap();
            store.delete("later/a/4").await.unwrap();
            assert!(disk.read_dir(&place.join("store")).unwrap().is_empty());
        }
    }
}

/// Puts and deletions in the same few folders: a put either ends well, and its object is there until it is deleted, or
/// surely did nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn folders_that_go_take_no_put_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = directory_store(&RealDisk::shared(), folder.path(), Blocking::Pool);
    let sides = (0..4).map(|side| {
        let store = Arc::clone(&store);
        service::task::spawn("side", async move {
            for number in 0..300 {
                let key = format!("day/{}/{side}-{number}", number % 2);
                let mut tries = 0;
                while let Err(error) = store.put_if_absent(&key, Payload::Bytes("x".into())).await {
                    assert!(matches!(error, StoreError::Determinate { .. }), "{error}");
                    tries += 1;
                    assert!(tries < 1_000, "{error}");
                }
                assert_eq!(store.get(&key).await.unwrap(), "x");
                store.delete(&key).await.unwrap();
                assert_eq!(store.head(&key).await.unwrap(), None);
            }
        })
    });
    for side in sides.collect::<Vec<_>>() {
        side.await.unwrap();
    }
    let left = std::fs::read_dir(folder.path().join("store")).unwrap();
    assert_eq!(left.count(), 0, "no empty folder stays");
}
