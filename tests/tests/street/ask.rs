//! Commands asked of the program about a data directory.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tests::{Finished, run};

/// Runs a command on a data directory.
pub(crate) fn command(data: &Path, name: &str, more: &[&str]) -> Finished {
    let data = data.display().to_string();
    let mut arguments = vec![name, "--data-dir", &data];
    arguments.extend(more);
    run(&arguments)
}

/// What a command printed that must have ended well.
pub(crate) fn well(finished: Finished) -> String {
    assert!(finished.success, "{}", finished.stderr);
    finished.stdout
}

/// What `highwater status` says.
pub(crate) fn status_of(data: &Path) -> Value {
    serde_json::from_str(&well(command(data, "status", &["--json"]))).expect("the status as JSON")
}

/// Removes the index with what belongs to it.
pub(crate) fn lose_index(data: &Path) {
    for entry in fs::read_dir(data).expect("listed") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with("index.sqlite")) {
            fs::remove_file(&path).expect("removed");
        }
    }
}
