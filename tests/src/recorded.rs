//! Recorded material that may lie beside the project, and is never part of it.

use std::path::{Path, PathBuf};

/// The folder of recorded material. Where it is absent, says in one line that a test was left out.
#[expect(clippy::print_stdout, reason = "a test says when it is left out")]
pub fn recorded(test: &str) -> Option<PathBuf> {
    let beside = |folder: &Path| Some(folder.join("shared/data")).filter(|data| data.is_dir());
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find_map(beside);
    if found.is_none() {
        println!("left out: {test}: ../shared is absent");
    }
    found
}
