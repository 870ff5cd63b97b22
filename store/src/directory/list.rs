//! The objects of a folder in byte order of their keys, one folder's entries in memory per level.
//!
//! Folder order is not key order: `a/b` comes after `a-b`, though the folder `a` comes before the file `a-b`. So a folder
//! is sorted as its name with a `/` behind, which begins all keys in it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::vec;

use disk::Disk;

use super::door::{Inner, unchanged};
use super::staging;
use crate::{ListPage, ObjectMeta, StoreError};

impl Inner {
    pub(super) fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ListPage, StoreError> {
        let mut page = ListPage {
            objects: Vec::new(),
            more: false,
        };
        for object in Walk::new(&*self.disk, &self.root, prefix, after) {
            let object = object.map_err(|error| unchanged("list", prefix, &error))?;
            if page.objects.len() == limit {
                page.more = true;
                break;
            }
            page.objects.push(object);
        }
        Ok(page)
    }
}

/// An entry of a folder: a whole key, or, ending in `/`, what begins all keys of a folder.
struct Entry {
    key: String,
    path: PathBuf,
}

impl Entry {
    fn is_folder(&self) -> bool {
        self.key.ends_with('/')
    }
}

/// Goes through the tree depth first.
struct Walk<'a> {
    disk: &'a dyn Disk,
    prefix: &'a str,
    after: Option<&'a str>,
    levels: Vec<vec::IntoIter<Entry>>,
}

impl<'a> Walk<'a> {
    fn new(disk: &'a dyn Disk, root: &Path, prefix: &'a str, after: Option<&'a str>) -> Self {
        let root = Entry {
            key: String::new(),
            path: root.to_owned(),
        };
        Self {
            disk,
            prefix,
            after,
            levels: vec![vec![root].into_iter()],
        }
    }

    fn open(&mut self, folder: &Entry) -> io::Result<()> {
        let entries = match self.disk.read_dir(&folder.path) {
            Ok(entries) => entries,
            // Nothing was put yet, or somebody removed it.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(());
            }
            Err(error) => {
                let named = format!("{}: {error}", folder.path.display());
                return Err(io::Error::new(error.kind(), named));
            }
        };
        let mut level: Vec<Entry> = entries
            .into_iter()
            .filter_map(|(path, is_folder)| entry_of(&folder.key, path, is_folder))
            .filter(|entry| self.may_hold(entry))
            .collect();
        level.sort_by(|a, b| a.key.cmp(&b.key));
        self.levels.push(level.into_iter());
        Ok(())
    }

    /// Whether the entry is, or may hold, a key that is asked for.
    fn may_hold(&self, entry: &Entry) -> bool {
        let key = entry.key.as_str();
        let in_prefix = key.starts_with(self.prefix) || (entry.is_folder() && self.prefix.starts_with(key));
        let behind = self
            .after
            .is_none_or(|after| key > after || (entry.is_folder() && after.starts_with(key)));
        in_prefix && behind
    }

    fn advance(&mut self) -> io::Result<Option<ObjectMeta>> {
        while let Some(level) = self.levels.last_mut() {
            let Some(entry) = level.next() else {
                self.levels.pop();
                continue;
            };
            if entry.key.is_empty() || entry.is_folder() {
                self.open(&entry)?;
            } else if let Some(len) = self.disk.file_len(&entry.path)? {
                return Ok(Some(ObjectMeta { key: entry.key, len }));
            }
        }
        Ok(None)
    }
}

impl Iterator for Walk<'_> {
    type Item = io::Result<ObjectMeta>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

/// A name that is not UTF-8 is in no key: somebody else put it there. A staging folder holds no objects.
fn entry_of(folder_key: &str, path: PathBuf, is_folder: bool) -> Option<Entry> {
    let name = path.file_name()?.to_str()?;
    if name == staging::FOLDER {
        return None;
    }
    let end = if is_folder { "/" } else { "" };
    Some(Entry {
        key: format!("{folder_key}{name}{end}"),
        path,
    })
}
