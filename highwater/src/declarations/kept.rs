//! The texts that were accepted last, kept in the data directory: by them a start goes on whose files are refused.
//!
//! One file, `declarations.json`: a line with its kind, its version and the SHA-256 of all behind it, then JSON.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use disk::Disk;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::limits::KEPT_BYTES_MAX;
use super::texts::Texts;
use crate::data::Fold;

/// Its name in the data directory.
const NAME: &str = "declarations.json";

/// What it begins with: its kind and version.
const KIND: &str = "highwater-declarations 1 ";

/// Texts, and the paths that were given when they were accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Accepted {
    given: Given,
    texts: Texts,
}

/// The paths that settings name. Texts stand in for files at the same paths alone: who gives others means others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Given {
    products: Vec<PathBuf>,
    definitions: Vec<PathBuf>,
}

impl Given {
    fn by(fold: &Fold) -> Self {
        Self {
            products: fold.products.clone(),
            definitions: fold.definitions.clone(),
        }
    }
}

impl Accepted {
    fn to_bytes(&self) -> anyhow::Result<Vec<u8>> {
        let json = serde_json::to_string(self)?;
        let digest = hex::encode(Sha256::digest(&json));
        Ok(format!("{KIND}{digest}\n{json}\n").into_bytes())
    }

    fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let text = std::str::from_utf8(bytes)?;
        let (head, json) = text.split_once('\n').context("it has one line")?;
        let digest = head
            .strip_prefix(KIND)
            .context("it is of another kind or version")?;
        let json = json.strip_suffix('\n').context("its end is missing")?;
        anyhow::ensure!(
            hex::encode(Sha256::digest(json)) == digest,
            "it is not as it was written"
        );
        Ok(serde_json::from_str(json)?)
    }
}

/// Keeps accepted texts. When this returns, a crash cannot lose them, and before, it leaves those of before.
///
/// # Errors
/// When they cannot be written, or are too long to be kept.
pub(crate) fn keep(disk: &dyn Disk, data_dir: &Path, given: &Fold, texts: &Texts) -> anyhow::Result<()> {
    let accepted = Accepted {
        given: Given::by(given),
        texts: texts.clone(),
    };
    let path = data_dir.join(NAME);
    let name = path.display();
    if read(&path).is_ok_and(|kept| kept.as_ref() == Some(&accepted)) {
        // Whoever kept it may have been killed before its name was on disk.
        return disk
            .sync_dir(data_dir)
            .with_context(|| format!("cannot sync the folder of {name}"));
    }
    let bytes = accepted.to_bytes()?;
    anyhow::ensure!(
        bytes.len() <= KEPT_BYTES_MAX,
        "all declarations and definitions take {} bytes in {name}, more than {KEPT_BYTES_MAX}: give fewer",
        bytes.len()
    );
    disk::replace(disk, &path, &bytes).with_context(|| format!("cannot write {name}"))
}

/// The texts that were accepted last by these settings, if any were.
///
/// # Errors
/// When what is kept cannot be read.
pub(super) fn accepted(data_dir: &Path, given: &Fold) -> anyhow::Result<Option<Texts>> {
    let path = data_dir.join(NAME);
    let kept = read(&path).with_context(|| format!("what was accepted last, {},", path.display()))?;
    let same = kept.filter(|kept| kept.given == Given::by(given));
    Ok(same.map(|kept| kept.texts))
}

fn read(path: &Path) -> anyhow::Result<Option<Accepted>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    file.take(KEPT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    anyhow::ensure!(
        bytes.len() <= KEPT_BYTES_MAX,
        "it has more than {KEPT_BYTES_MAX} bytes"
    );
    Accepted::parse(&bytes).map(Some)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use disk::RealDisk;

    use super::super::texts::NamedText;
    use super::*;

    const GOLDEN: &str = include_str!("golden-accepted.json");

    fn texts(text: &str) -> Texts {
        let named = |file: &str| NamedText {
            file: file.into(),
            text: text.to_owned(),
        };
        Texts {
            products: vec![named("shop.yaml")],
            definitions: vec![named("metrics.yaml"), named("Histograms.json")],
        }
    }

    fn given() -> Fold {
        let mut fold = Fold::for_demo();
        fold.products = vec!["shop.yaml".into()];
        fold
    }

    #[test]
    fn what_was_kept_once_is_read_for_ever() {
        let accepted = Accepted {
            given: Given::by(&given()),
            texts: texts("a: \"b\"\n# é\n"),
        };
        let bytes = accepted.to_bytes().expect("written");
        assert_eq!(String::from_utf8(bytes).expect("a text"), GOLDEN);
        assert_eq!(Accepted::parse(GOLDEN.as_bytes()).expect("read"), accepted);
    }

    #[test]
    fn texts_are_read_again_as_they_were_accepted_and_stand_in_for_the_same_paths_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let (disk, fold) = (RealDisk::shared(), given());
        assert_eq!(accepted(folder.path(), &fold).expect("none"), None);
        for text in ["a", "\u{1}\"\\\n", "a", ""] {
            for _ in 0..2 {
                keep(disk.as_ref(), folder.path(), &fold, &texts(text)).expect("kept");
                let read = accepted(folder.path(), &fold).expect("read");
                assert_eq!(read, Some(texts(text)), "{text:?}");
            }
        }
        let mut others = fold.clone();
        others.products.push("other.yaml".into());
        assert_eq!(accepted(folder.path(), &others).expect("read"), None);
        // A draft that a crash left is no obstacle.
        fs::write(folder.path().join(format!("{NAME}.new")), "half").expect("written");
        keep(disk.as_ref(), folder.path(), &fold, &texts("b")).expect("kept");
        assert_eq!(accepted(folder.path(), &fold).expect("read"), Some(texts("b")));
    }

    #[test]
    fn what_is_cut_or_damaged_stands_in_for_nothing() {
        let bytes = GOLDEN.as_bytes();
        for end in 0..bytes.len() {
            assert!(Accepted::parse(&bytes[..end]).is_err(), "cut at {end}");
        }
        for place in 0..bytes.len() {
            let mut damaged = bytes.to_vec();
            damaged[place] ^= 1;
            assert!(Accepted::parse(&damaged).is_err(), "changed at {place}");
        }
    }
}
