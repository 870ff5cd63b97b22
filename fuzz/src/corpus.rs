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
