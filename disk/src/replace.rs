//! A small file that is replaced as a whole: a crash at any time leaves what it held before, or what it is to hold.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::Disk;

/// Makes `path` a file with this content, durably: written and synced under the name with `.new` behind it, renamed, and the
/// folder synced. What an earlier try left under that name is removed first; when this one fails, it may stay there.
///
/// # Errors
/// Those of the file system. Under `path` is then either content, the new one perhaps not durably.
pub fn replace(disk: &dyn Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    match disk.remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = disk.create_new(&draft)?;
    file.write_all_at(content, 0)?;
    file.sync()?;
    disk.rename(&draft, path)?;
    path.parent().map_or(Ok(()), |folder| disk.sync_dir(folder))
}
