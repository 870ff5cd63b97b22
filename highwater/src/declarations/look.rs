//! When to read files again: a look at what the file system says of them, which costs little, and whether that has come to rest.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::texts::files_of;
use crate::data::Fold;

/// What the file system says of a file whenever its content is another one.
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));

/// What it says of all files that the settings name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// A file that cannot be looked at, and a folder that cannot be listed, with why.
    files: Vec<(PathBuf, Result<Stamp, String>)>,
}

impl Look {
    /// Looks at the files now.
    pub(crate) fn at(given: &Fold) -> Self {
        let mut files = Vec::new();
        for path in &given.products {
            match files_of(path) {
                Ok(found) => files.extend(found.into_iter().map(stamped)),
                Err(error) => files.push((path.clone(), Err(format!("{error:#}")))),
            }
        }
        files.extend(given.definitions.iter().cloned().map(stamped));
        Self { files }
    }
}

fn stamped(path: PathBuf) -> (PathBuf, Result<Stamp, String>) {
    let stamp = stamp(&path).map_err(|error| error.to_string());
    (path, stamp)
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    let about = fs::metadata(path)?;
    if !about.is_file() {
        // A pipe: whatever is in it, it is read once.
        return Ok(Stamp::default());
    }
    let (modified, changed) = (
        (about.mtime(), about.mtime_nsec()),
        (about.ctime(), about.ctime_nsec()),
    );
    Ok((about.dev(), about.ino(), about.len(), modified, changed))
}

/// Whether files that changed have come to rest: one that is being written is not read half. Pure.
#[derive(Debug)]
pub(crate) struct Settling<L> {
    seen: L,
    done: L,
}

impl<L: Clone + PartialEq> Settling<L> {
    /// What was read when this was seen is dealt with.
    pub(crate) fn after(look: L) -> Self {
        Self {
            seen: look.clone(),
            done: look,
        }
    }

    /// Whether the files are to be read: they are others than those that were dealt with, and were the same at the look before.
    pub(crate) fn is_time(&mut self, look: &L) -> bool {
        let rests = self.seen == *look;
        self.seen = look.clone();
        rests && self.done != *look
    }

    /// What was read when this was seen is dealt with.
    pub(crate) fn done(&mut self, look: L) {
        (self.seen, self.done) = (look.clone(), look);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_when_two_looks_in_a_row_see_the_same_that_is_not_what_was_dealt_with() {
        let mut settling = Settling::after(0);
        let (mut before, mut done) = (0, 0);
        // All courses of six looks at three states of the files, with what was read dealt with at once.
        for course in 0..3_u32.pow(6) {
            for look in (0..6).map(|place| course / 3_u32.pow(place) % 3) {
                let expected = look == before && look != done;
                assert_eq!(settling.is_time(&look), expected, "{course}");
                before = look;
                if expected {
                    settling.done(look);
                    done = look;
                }
            }
        }
    }

    #[test]
    fn a_look_sees_what_is_written_replaced_removed_and_added() {
        let folder = tempfile::tempdir().expect("a folder");
        let (products, one) = (folder.path().join("products"), folder.path().join("one.yaml"));
        fs::create_dir(&products).expect("made");
        fs::write(&one, "a").expect("written");
        let mut fold = Fold::for_demo();
        fold.products = vec![products.clone(), one.clone()];
        fold.definitions = vec![folder.path().join("metrics.yaml")];
        let mut looks = vec![Look::at(&fold)];
        let mut changed = |what: &str| {
            let look = Look::at(&fold);
            assert_eq!(look, Look::at(&fold), "{what}");
            assert!(!looks.contains(&look), "{what}");
            looks.push(look);
        };
        fs::write(&one, "ab").expect("written");
        changed("longer");
        fs::write(folder.path().join("other"), "cd").expect("written");
        fs::rename(folder.path().join("other"), &one).expect("renamed");
        changed("replaced by one as long");
        fs::write(products.join("two.yaml"), "a").expect("written");
        changed("added to a folder");
        fs::write(folder.path().join("metrics.yaml"), "a").expect("written");
        changed("a definition file that was not there");
        fs::remove_file(products.join("two.yaml")).expect("removed");
        fs::remove_file(&one).expect("removed");
        changed("removed");
        fs::remove_dir(&products).expect("removed");
        changed("the folder, too");
    }
}
