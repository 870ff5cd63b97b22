//! Logs that are put back from a copy, or started as a copy, with a store that others share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::{Disk, SimulatedDisk};
use edge::{ClaimError, Claims, EdgeError, EdgeOptions};
use ping::RecordId;
use service::clock::HandClock;
use store::Store;

use crate::support::{NOON_US, Running, limits, memory, open, options, records, submit};

/// The files of the log on a disk, and the one that remembers its starts.
type LogFiles = BTreeMap<PathBuf, Vec<u8>>;

fn log_files(disk: &SimulatedDisk) -> LogFiles {
    let entries = disk.read_dir(Path::new("/log")).expect("listed").into_iter();
    let paths = entries
        .map(|(path, _)| path)
        .chain([PathBuf::from("/log-starts")]);
    let read = |path: PathBuf| {
        let file = disk.open_read(&path).expect("there");
        let mut bytes = vec![0; usize::try_from(file.len().expect("a length")).expect("small")];
        file.read_at(&mut bytes, 0).expect("read");
        (path, bytes)
    };
    paths.map(read).collect()
}

fn put_back(disk: &SimulatedDisk, files: &LogFiles) {
    for path in log_files(disk).into_keys() {
        disk.remove_file(&path).expect("removed");
    }
    for (path, bytes) in files {
        let file = disk.create_new(path).expect("made");
        file.write_all_at(bytes, 0).expect("written");
    }
}

async fn start(disk: &SimulatedDisk, store: &Arc<dyn Store>) -> Result<Running, EdgeError> {
    let options = EdgeOptions {
        claims: Some(Claims {
            lock: "here.8.17".to_owned(),
        }),
        ..options(limits())
    };
    let clock = HandClock::at_micros(NOON_US);
    open(disk.shared(), Arc::clone(store), clock, options).await
}

#[tokio::test(start_paused = true)]
async fn a_log_put_back_from_an_earlier_start_is_refused_as_often_as_it_is_tried_and_stays_as_it_was() {
    let (disk, store) = (SimulatedDisk::new(), memory());
    let mut copies = Vec::new();
    for number in 0..3 {
        let running = start(&disk, &store).await.expect("its own log");
        submit(&running.edge, number, "release", b"{}")
            .await
            .expect("taken");
        running.edge.shutdown(false).await;
        copies.push(log_files(&disk));
    }
    let newest = copies.pop().expect("three");
    for files in &copies {
        put_back(&disk, files);
        for _ in 0..5 {
            let refused = start(&disk, &store).await.err();
            assert!(
                matches!(
                    refused,
                    Some(EdgeError::Claim(ClaimError::WentBack { boot: 3, .. }))
                ),
                "{refused:?}"
            );
            assert!(log_files(&disk) == *files, "a refused start changes nothing");
        }
    }
    put_back(&disk, &newest);
    let running = start(&disk, &store).await.expect("the newest one");
    running.edge.shutdown(true).await;
    assert_eq!(records(store.as_ref()).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_log_put_back_as_it_was_within_the_same_start_gives_no_number_twice() {
    for (round, more) in [1, 3, 10, 40, 100].into_iter().enumerate() {
        let (disk, store) = (SimulatedDisk::new(), memory());
        // Pings by their numbers: each is acknowledged once.
        let mut numbers: BTreeMap<RecordId, String> = BTreeMap::new();
        let mut number = 0;
        for _ in 0..=round {
            let running = start(&disk, &store).await.expect("its own log");
            for _ in 0..5 {
                submit(&running.edge, number, "release", b"{}")
                    .await
                    .expect("taken");
                number += 1;
            }
            // The copy of a running process.
            let copy = log_files(&disk);
            for _ in 0..more {
                submit(&running.edge, number, "release", b"{}")
                    .await
                    .expect("taken");
                number += 1;
            }
            // What came after the copy is in chunks, and the log is put back.
            running.edge.shutdown(true).await;
            drop(running);
            put_back(&disk, &copy);
        }
        let running = start(&disk, &store).await.expect("within the same start");
        submit(&running.edge, number, "release", b"{}")
            .await
            .expect("taken");
        running.edge.shutdown(true).await;
        let page = store.list("pings/", None, 100_000).await.expect("listed");
        for object in page.objects {
            let bytes = store.get(&object.key).await.expect("there");
            let mut reader = chunk::ChunkReader::new(bytes).expect("a chunk");
            for frame in 0..reader.tail().data_frames.len() {
                let raw = reader.frame(frame).expect("decodes").to_vec();
                for record in chunk::records(&raw) {
                    let record = record.expect("a record");
                    let uri = String::from_utf8(record.uri.to_vec()).expect("as sent");
                    let before = numbers.insert(record.id, uri.clone());
                    assert!(
                        before.as_ref().is_none_or(|before| *before == uri),
                        "{} is {before:?} and {uri}",
                        record.id
                    );
                }
            }
        }
        assert_eq!(numbers.len() as u64, number + 1, "each has a number of its own");
    }
}
