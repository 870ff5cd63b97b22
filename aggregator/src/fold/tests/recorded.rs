//! Recorded pings, where they are.

use std::path::{Path, PathBuf};

use super::{fold, oracle};

/// The folder of recorded data beside the project, if there is one.
pub(super) fn recorded() -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/data"))
        .find(|folder| folder.is_dir());
    if found.is_none() {
        println!("left out: ../shared is absent");
    }
    found
}

/// All recorded pings with the files' names; none where they are absent.
pub(super) fn recorded_pings() -> Vec<(PathBuf, Vec<u8>)> {
    let mut pings = Vec::new();
    let mut folders: Vec<PathBuf> = recorded().map(|data| data.join("pings")).into_iter().collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let body = std::fs::read(&path).expect("a ping");
                pings.push((path, body));
            }
        }
    }
    pings.sort();
    pings
}

#[test]
fn recorded_pings_add_what_the_oracle_says() {
    if recorded().is_none() {
        return;
    }
    let pings = recorded_pings();
    for (path, body) in &pings {
        assert_eq!(fold(&[(body, 1)]), oracle(body), "{}", path.display());
    }
    assert!(pings.len() > 30, "{}", pings.len());
}
