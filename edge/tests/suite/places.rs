//! A log that is removed, moved or covered beneath the running edge, and a lock that is taken away.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use disk::{Disk, SimulatedDisk};
use edge::fuzzing::segment_path;
use edge::intake::Refusal;
use edge::{Edge, EdgeOptions};
use service::clock::HandClock;
use store::Store;

use crate::support::{NOON_US, Running, limits, memory, open, options, records, run, submit};

/// Where the directory lies, so that it can be covered itself.
const ROOT: &str = "/somewhere/data";

/// What happens to the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    LogRemoved,
    LogCovered,
    FirstSegmentRemoved,
    LastSegmentRemoved,
    RootRemoved,
    RootCovered,
}

fn below(name: &str) -> PathBuf {
    Path::new(ROOT).join(name)
}

fn directory_on(disk: &SimulatedDisk) {
    for folder in [Path::new("/somewhere"), Path::new(ROOT)] {
        disk.create_dir(folder).expect("made");
    }
}

async fn started(disk: &SimulatedDisk, store: &Arc<dyn Store>) -> Running {
    let options = EdgeOptions {
        log_dir: below("log"),
        staging_dir: below("staging"),
        damaged_dir: below("damaged"),
        ..options(limits())
    };
    let clock = HandClock::at_micros(NOON_US);
    let opened = open(disk.shared(), Arc::clone(store), clock, options).await;
    opened.expect("opened")
}

/// Looks until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..3_000 {
        if is_so().await {
            return;
        }
        service::task::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within 30 s: {what}");
}

fn segments(disk: &SimulatedDisk) -> Vec<PathBuf> {
    let entries = disk.read_dir(&below("log")).expect("listed").into_iter();
    let named = |path: &PathBuf| path.file_name().is_some_and(|name| name != "spare");
    entries.map(|(path, _)| path).filter(named).collect()
}

/// Submits pings of 1,000 bytes from this number on; answers how many were acknowledged.
async fn submit_some(edge: &Edge, from: u64, count: u64) -> u64 {
    let mut acknowledged = 0;
    for number in from..from + count {
        acknowledged += u64::from(submit(edge, number, "release", &[b' '; 1_000]).await.is_ok());
    }
    acknowledged
}

fn lose(disk: &SimulatedDisk, loss: Loss) {
    let segments = segments(disk);
    assert!(segments.len() >= 3, "{segments:?}");
    let done = match loss {
        Loss::LogRemoved => disk.remove_all(&below("log")),
        Loss::FirstSegmentRemoved => disk.remove_all(&segments[0]),
        Loss::LastSegmentRemoved => disk.remove_all(&segments[segments.len() - 1]),
        Loss::RootRemoved => disk.remove_all(Path::new(ROOT)),
        Loss::LogCovered => disk.mount(&below("log")),
        Loss::RootCovered => disk.mount(Path::new(ROOT)),
    };
    done.expect("it was there");
}

/// What waits is put into a store elsewhere, unless the directory itself is another one.
fn is_sealed_after(loss: Loss) -> bool {
    !matches!(loss, Loss::RootRemoved | Loss::RootCovered)
}

#[test]
fn a_log_that_is_not_where_it_was_takes_nothing_and_what_it_took_is_sealed() {
    for loss in [
        Loss::LogRemoved,
        Loss::LogCovered,
        Loss::FirstSegmentRemoved,
        Loss::LastSegmentRemoved,
        Loss::RootRemoved,
        Loss::RootCovered,
    ] {
        run(async {
            let (disk, store) = (SimulatedDisk::new(), memory());
            directory_on(&disk);
            let running = started(&disk, &store).await;
            let edge = &running.edge;
            assert_eq!(submit_some(edge, 0, 30).await, 30);
            assert_eq!(edge.status().lost, None);
            lose(&disk, loss);
            let mut acknowledged = 30;
            until("it is noticed", async || {
                // Some are acknowledged before the next look; they are among those that must be kept.
                acknowledged += submit_some(edge, 1_000 + acknowledged, 1).await;
                edge.status().lost.is_some() || records(store.as_ref()).await.len() >= 30
            })
            .await;
            if is_sealed_after(loss) {
                until("what waits is sealed", async || {
                    records(store.as_ref()).await.len() as u64 >= acknowledged
                })
                .await;
            }
            match loss {
                // Once nothing is left in what lost its name, all goes on.
                Loss::FirstSegmentRemoved | Loss::LastSegmentRemoved => {
                    until("pings are taken again", async || {
                        submit_some(edge, 5_000, 1).await == 1
                    })
                    .await;
                    assert_eq!(edge.status().lost, None);
                }
                _ => {
                    for round in 0..5 {
                        let refused = submit(edge, 6_000 + round, "beta", b"{}").await;
                        assert_eq!(refused, Err(Refusal::Unavailable), "{loss:?}");
                        service::task::sleep(Duration::from_millis(300)).await;
                    }
                    assert!(edge.status().lost.is_some(), "{loss:?}");
                }
            }
            edge.shutdown(false).await;
        });
    }
}

#[test]
fn a_segment_that_something_else_cuts_is_noticed_though_more_is_written_to_it() {
    // The last one, which goes on being written or not, and one that is only read.
    for (is_last, is_written_on) in [(true, false), (true, true), (false, false)] {
        run(async {
            let (disk, store) = (SimulatedDisk::new(), memory());
            directory_on(&disk);
            let running = started(&disk, &store).await;
            let edge = &running.edge;
            assert_eq!(submit_some(edge, 0, 30).await, 30);
            let segments = segments(&disk);
            let cut = &segments[if is_last { segments.len() - 1 } else { 0 }];
            disk.open(cut).and_then(|file| file.set_len(0)).expect("cut");
            let mut taken = 30;
            if is_written_on {
                taken += submit_some(edge, 100, 1).await;
            }
            let what = format!("last {is_last}, written on {is_written_on}");
            until(&what, async || {
                edge.status()
                    .lost
                    .is_some_and(|words| words.contains("cut short"))
            })
            .await;
            let refused = submit(edge, 200, "release", b"{}").await;
            assert_eq!(refused, Err(Refusal::Unavailable), "{what}");
            // Pings that were in it are told as damage, those of the others are sealed.
            until("nothing waits", async || edge.status().waiting == 0).await;
            let (kept, damaged) = (records(store.as_ref()).await.len() as u64, edge.status().damaged);
            assert!(
                damaged > 0 && kept + damaged == taken,
                "{what}: {kept} and {damaged}"
            );
            until("pings are taken again", async || {
                submit_some(edge, 5_000, 1).await == 1
            })
            .await;
            assert_eq!(edge.status().lost, None, "{what}");
            edge.shutdown(true).await;
        });
    }
}

#[test]
fn what_is_mounted_over_a_directory_is_not_touched_and_when_it_goes_all_goes_on() {
    for loss in [Loss::LogCovered, Loss::RootCovered] {
        run(async {
            let (disk, store) = (SimulatedDisk::new(), memory());
            directory_on(&disk);
            let running = started(&disk, &store).await;
            let edge = &running.edge;
            assert_eq!(submit_some(edge, 0, 30).await, 30);
            lose(&disk, loss);
            // The log of another directory, whose files bear the same names.
            if loss == Loss::RootCovered {
                disk.create_dir(&below("log")).expect("made");
            }
            let others: Vec<PathBuf> = (1..40)
                .map(|number| segment_path(&below("log"), number))
                .collect();
            for path in &others {
                disk.create_new(path).expect("made");
            }
            until("it is noticed", async || edge.status().lost.is_some()).await;
            edge.seal_all();
            if is_sealed_after(loss) {
                until("what waits is sealed", async || {
                    records(store.as_ref()).await.len() >= 30
                })
                .await;
            } else {
                service::task::sleep(Duration::from_secs(2)).await;
                assert_eq!(
                    records(store.as_ref()).await.len(),
                    0,
                    "the store may be another one"
                );
            }
            assert_eq!(segments(&disk), others, "{loss:?}");
            let covered = if loss == Loss::RootCovered {
                PathBuf::from(ROOT)
            } else {
                below("log")
            };
            disk.unmount(&covered).expect("it was mounted");
            until("pings are taken again", async || {
                submit_some(edge, 5_000, 1).await == 1
            })
            .await;
            edge.shutdown(true).await;
            assert_eq!(records(store.as_ref()).await.len(), 31, "{loss:?}");
            drop(running);
            // And the next process finds what this one left.
            let running = started(&disk.kill(), &store).await;
            assert_eq!(running.edge.status().accepted, 31, "{loss:?}");
            running.edge.shutdown(false).await;
        });
    }
}

#[test]
fn an_edge_whose_lock_file_is_removed_or_replaced_acknowledges_and_seals_nothing_more() {
    for is_replaced in [false, true] {
        run(async {
            let (disk, store) = (SimulatedDisk::new(), memory());
            directory_on(&disk);
            disk.create_new(&below("lock")).expect("made");
            let running = started(&disk, &store).await;
            let edge = &running.edge;
            assert_eq!(submit_some(edge, 0, 10).await, 10);
            disk.remove_all(&below("lock")).expect("it was there");
            if is_replaced {
                disk.create_new(&below("lock")).expect("made");
            }
            let why = edge.failed().await;
            assert!(why.contains("lock") && why.contains("another process"), "{why}");
            assert_eq!(submit_some(edge, 100, 10).await, 0);
            assert_eq!(edge.status().failed, Some(why));
            edge.seal_all();
            service::task::sleep(Duration::from_secs(1)).await;
            assert_eq!(records(store.as_ref()).await.len(), 0);
            edge.shutdown(false).await;
            drop(running);
            // All of it is in the log, for whoever has the directory by now.
            let running = started(&disk.kill(), &store).await;
            assert!(running.edge.status().waiting >= 10);
            running.edge.shutdown(true).await;
            assert!(records(store.as_ref()).await.len() >= 10);
        });
    }
}
