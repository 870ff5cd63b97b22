//! Trouble for a pipeline in one process: further pings, and a store that goes away and comes back.

use std::fs;
use std::path::Path;

use tests::{Pipeline, SmallPing};

/// Posts further pings, numbered on from those sent so far; answers the status of the last one.
pub(crate) fn post_numbered(pipeline: &Pipeline, sent: &mut u64, pings: u64, filling: usize) -> u16 {
    let mut edge = pipeline.edge_client();
    let mut last = 0;
    for _ in 0..pings {
        *sent += 1;
        let ping = SmallPing {
            filling,
            ..SmallPing::numbered(*sent)
        };
        last = edge
            .post(&ping.uri(), &[], &ping.body())
            .expect("an answer")
            .status;
    }
    last
}

/// Puts a file where the store's folder is, which also root cannot write through.
pub(crate) fn take_the_store_away(data: &Path) {
    fs::rename(data.join("store"), data.join("store-away")).expect("moved");
    fs::write(data.join("store"), "no folder").expect("written");
}

/// Puts the folder back.
pub(crate) fn bring_the_store_back(data: &Path) {
    fs::remove_file(data.join("store")).expect("removed");
    fs::rename(data.join("store-away"), data.join("store")).expect("moved");
}
