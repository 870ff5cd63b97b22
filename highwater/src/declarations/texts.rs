//! The texts of all files that declare something, as they were read.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::limits::{FILE_BYTES_MAX, FILES_MAX, TEXTS_BYTES_MAX};
use crate::data::Fold;

/// A file and what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NamedText {
    pub(crate) file: PathBuf,
    pub(crate) text: String,
}

/// The texts of declarations of products and of definition files, each in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Texts {
    pub(crate) products: Vec<NamedText>,
    pub(crate) definitions: Vec<NamedText>,
}

/// Whether a text can be read again: not from a pipe, which gives it once.
fn is_read_again(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.is_file())
}

impl Texts {
    /// Reads the files that the settings name, and those of the folders. What came through a pipe before is as it was then.
    ///
    /// # Errors
    /// When one of them cannot be read, or they are more than is meant.
    pub(crate) fn read(given: &Fold, before: &Self) -> anyhow::Result<Self> {
        let mut left = TEXTS_BYTES_MAX;
        let mut texts = Self::default();
        for path in &given.products {
            for file in files_of(path)? {
                texts
                    .products
                    .push(read("--products", file, &before.products, &mut left)?);
            }
        }
        for file in &given.definitions {
            let text = read("--definitions", file.clone(), &before.definitions, &mut left)?;
            texts.definitions.push(text);
        }
        Ok(texts)
    }
}

fn read(option: &str, file: PathBuf, before: &[NamedText], left: &mut u64) -> anyhow::Result<NamedText> {
    let name = file.display();
    let once = || before.iter().find(|text| text.file == file);
    let text = match once().filter(|_| file.exists() && !is_read_again(&file)) {
        Some(before) => before.text.clone(),
        None => {
            let mut text = String::new();
            File::open(&file)
                .and_then(|open| open.take(FILE_BYTES_MAX + 1).read_to_string(&mut text))
                .with_context(|| format!("{option}: cannot read {name}"))?;
            text
        }
    };
    let bytes = text.len() as u64;
    anyhow::ensure!(
        bytes <= FILE_BYTES_MAX,
        "{option}: {name} has more than {FILE_BYTES_MAX} bytes: is it the file that was meant?"
    );
    *left = left.checked_sub(bytes).with_context(|| {
        format!("{option}: with {name} all files together have more than {TEXTS_BYTES_MAX} bytes: give fewer")
    })?;
    Ok(NamedText { file, text })
}

/// The files that a path of `--products` stands for.
pub(super) fn files_of(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let name = || format!("--products: cannot read {}", path.display());
    if !fs::metadata(path).with_context(name)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).with_context(name)? {
        let entry = entry.with_context(name)?;
        let file = entry.path();
        // Editors and file systems keep notes of their own beside files, under names that begin so.
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let is_declaration = file
            .extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml");
        if is_declaration && !is_hidden {
            files.push(file);
        }
        anyhow::ensure!(
            files.len() <= FILES_MAX,
            "--products: {} has more than {FILES_MAX} files",
            path.display()
        );
    }
    files.sort_unstable();
    Ok(files)
}
