//! Recorded main pings of Firefox, where a folder of them lies beside the project.

use std::fs;
use std::path::Path;

/// The main pings among them, by the numbers their names begin with.
const NUMBERS: [&str; 5] = ["00_", "01_", "02_", "06_", "07_"];

/// Their bodies; empty when there are none.
pub(crate) fn main_pings() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/data/pings/real"))
        .find(|folder| folder.is_dir());
    let entries = folder.and_then(|folder| fs::read_dir(folder).ok());
    let mut paths: Vec<_> = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            NUMBERS.iter().any(|number| name.starts_with(number))
        })
        .collect();
    paths.sort();
    paths.into_iter().filter_map(|path| fs::read(path).ok()).collect()
}
