//! The identity of a data directory: its format's version and the incarnation of its log, in the file `identity`.

use std::io;
use std::path::Path;

use disk::Disk;
use serde::{Deserialize, Serialize};

use super::DirectoryError;
use super::error::at;
use crate::random::Random;

/// The layout that this program makes, and the newest that it reads.
pub(super) const VERSION: u64 = 1;

/// What the file `identity` holds.
#[derive(Deserialize, Serialize)]
struct Identity {
    version: u64,
    incarnation: String,
}

/// The incarnation, unless the directory is new.
pub(super) fn read(disk: &dyn Disk, root: &Path) -> Result<Option<[u8; 16]>, DirectoryError> {
    let path = root.join("identity");
    let file = match disk.open_read(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let log = root.join("log");
            let logged = disk.read_dir(&log).is_ok_and(|entries| !entries.is_empty());
            return if logged {
                Err(broken(root, "missing"))
            } else {
                Ok(None)
            };
        }
        Err(error) => return Err(at(&path)(error)),
    };
    let mut bytes = vec![0; 4096];
    let read = file.read_at(&mut bytes, 0).map_err(at(&path))?;
    let found: Identity = serde_json::from_slice(&bytes[..read]).map_err(|_| broken(root, "unreadable"))?;
    if found.version > VERSION {
        return Err(DirectoryError::Newer {
            path: root.to_owned(),
            found: found.version,
        });
    }
    let bits = u128::from_str_radix(&found.incarnation, 16).ok();
    let bits = bits.filter(|_| found.incarnation.len() == 32 && found.version == VERSION);
    bits.map(|bits| Some(bits.to_be_bytes()))
        .ok_or_else(|| broken(root, "unreadable"))
}

fn broken(root: &Path, what: &'static str) -> DirectoryError {
    DirectoryError::Identity {
        path: root.to_owned(),
        what,
    }
}

/// Makes an identity: written and synced under another name first, so that a crash leaves all of it or nothing.
pub(super) fn make(disk: &dyn Disk, root: &Path, random: &dyn Random) -> Result<[u8; 16], DirectoryError> {
    let path = root.join("identity");
    let incarnation = random.bits();
    let content = Identity {
        version: VERSION,
        incarnation: format!("{:032x}", u128::from_be_bytes(incarnation)),
    };
    let text = serde_json::to_string(&content).expect("numbers and texts can always be written as JSON");
    disk::replace(disk, &path, text.as_bytes()).map_err(at(&path))?;
    Ok(incarnation)
}
