//! Every back end passes the one suite.

use std::path::Path;
use std::sync::Arc;

use disk::{Disk, RealDisk, SimulatedDisk};
use store::conformance::every_back_end_keeps_the_law;
use store::{Blocking, DirectoryStore, MemoryStore, Payload, Put, Store, StoreError};

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
