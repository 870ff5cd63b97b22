//! The corpus: files that were found, or written, each named after what it is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Target;

/// The folder of a target's corpus.
pub fn folder(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target.name)
}

/// The inputs of a target's corpus with their names, sorted, and then its seeds.
pub fn inputs(target: &Target) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder(target)).into_iter().flatten();
    let mut inputs: Vec<(String, Vec<u8>)> = files
        .filter_map(Result::ok)
        .filter_map(|file| {
            let bytes = fs::read(file.path()).ok()?;
            Some((file.file_name().to_string_lossy().into_owned(), bytes))
        })
        .collect();
    inputs.sort();
    let seeds = (target.seeds)().into_iter().enumerate();
    inputs.extend(seeds.map(|(number, bytes)| (format!("seed-{number}"), bytes)));
    inputs
}

/// Recorded pings that may lie beside the project, and are never part of it; none where they are absent.
pub fn recorded_pings() -> Vec<(String, Vec<u8>)> {
    let beside = |folder: &Path| Some(folder.join("shared/data/pings")).filter(|data| data.is_dir());
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find_map(beside);
    let (mut folders, mut pings) = (Vec::from_iter(found), Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json")
                && let Ok(body) = fs::read(&path)
            {
                pings.push((path.display().to_string(), body));
            }
        }
    }
    pings.sort();
    pings
}

/// Writes a target's corpus and seeds into a folder, for a fuzzer that begins with files.
///
/// # Errors
/// Those of the file system.
pub fn write_into(target: &Target, folder: &Path) -> std::io::Result<()> {
    for (name, bytes) in inputs(target) {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}
