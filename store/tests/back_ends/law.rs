//! Every back end passes the one suite.

use std::path::Path;
use std::sync::Arc;

use disk::{Disk, RealDisk, SimulatedDisk};
use store::conformance::every_back_end_keeps_the_law;
use store::{Blocking, DirectoryStore, MemoryStore};

fn directory_store(disk: &Arc<dyn Disk>, folder: &Path, blocking: Blocking) -> Arc<DirectoryStore> {
    let (root, staging) = (folder.join("store"), folder.join("staging"));
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
