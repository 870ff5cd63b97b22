//! Setting aside what a log held where it is damaged: loud, and counted.
//!
//! What holds: a piece bears its name only once all of its bytes are synced, and whoever asks is told whether it is kept,
//! durably. So a segment is removed only after that (`chain`). A try that fails leaves a draft at most.
//!
//! Behind what a segment vouches for damage looks like a torn tail, and is cut. A few of these are kept, too, where there is room;
//! they count as no damage.
//!
//! What does not hold: a piece is what was read at that moment; a disk that reads otherwise the next time makes another piece of it.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use disk::{Disk, File, FileIdentity};

/// Bytes copied, or compared, at once.
const COPY_BYTES: usize = 1 << 20;

/// So many pieces of one place are kept, as long as each differs from those before.
const PIECES_OF_A_PLACE_MAX: u32 = 100;

/// So many tails are kept, the newest: each power cut may leave one, and nobody has to look at them.
const TAILS_MAX: usize = 8;

/// What the name of a tail begins with.
const TAIL: &str = "tail-";

/// What the name of a piece ends in that is not whole yet.
const DRAFT: &str = "new";

/// The folder for what is damaged.
#[derive(Debug)]
pub(crate) struct Damaged<'d> {
    disk: &'d dyn Disk,
    dir: &'d Path,
    met: AtomicBool,
}

/// Where the bytes of a piece come from.
struct Source<'s> {
    file: &'s dyn File,
    range: Range<u64>,
}

/// Bytes that were read before, as a file.
#[derive(Debug)]
struct Bytes<'b>(&'b [u8]);

impl<'d> Damaged<'d> {
    /// The folder `dir`, which is there.
    pub(crate) const fn new(disk: &'d dyn Disk, dir: &'d Path) -> Self {
        Self {
            disk,
            dir,
            met: AtomicBool::new(false),
        }
    }

    /// Keeps a copy of a range of a segment, and answers whether it is kept, durably. The same bytes of the same range are
    /// kept once, however often they are met.
    pub(crate) fn keep(&self, segment: u32, file: &dyn File, range: Range<u64>) -> bool {
        self.meet();
        let kept = self.keep_quietly(segment, file, range.clone());
        report(segment, &range, kept)
    }

    /// Keeps bytes that were read from a segment at this place, and answers whether they are kept, durably.
    pub(crate) fn keep_bytes(&self, segment: u32, offset: u64, bytes: &[u8]) -> bool {
        self.meet();
        let range = offset..offset + bytes.len() as u64;
        let source = Source {
            file: &Bytes(bytes),
            range: 0..bytes.len() as u64,
        };
        report(segment, &range, self.copy(&name_of(segment, offset), &source))
    }

    /// As [`Self::keep`], without a word: for what was told before.
    pub(crate) fn keep_quietly(
        &self,
        segment: u32,
        file: &dyn File,
        range: Range<u64>,
    ) -> io::Result<PathBuf> {
        self.copy(&name_of(segment, range.start), &Source { file, range })
    }

    /// Keeps a copy of what is cut off behind a log's last frame; it is no damage, and not counted. Not where no more than so
    /// many bytes are free beside it: a start needs these.
    pub(crate) fn keep_tail(
        &self,
        segment: u32,
        file: &dyn File,
        range: Range<u64>,
        free: u64,
    ) -> io::Result<PathBuf> {
        if self.disk.free_bytes(self.dir)? < free.saturating_add(range.end - range.start) {
            return Err(ErrorKind::StorageFull.into());
        }
        let entries = self.disk.read_dir(self.dir)?.into_iter();
        let tails: Vec<PathBuf> = entries
            .map(|(path, _)| path)
            .filter(|path| is_tail(path))
            .collect();
        for oldest in tails.iter().rev().skip(TAILS_MAX - 1) {
            self.disk.remove_file(oldest)?;
        }
        let name = format!("{TAIL}{}", name_of(segment, range.start));
        self.copy(&name, &Source { file, range })
    }

    /// Moves a whole file here, durably; the folder it was in is not synced. A file that is there no more was moved before.
    pub(crate) fn move_file(&self, path: &Path) -> io::Result<()> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        for piece in 1..=PIECES_OF_A_PLACE_MAX {
            match self
                .disk
                .rename_new(path, &self.dir.join(numbered(&name, piece, &extension)))
            {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                // The log may be on a file system of its own.
                Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                    let file = self.disk.open_read(path)?;
                    let range = 0..file.len()?;
                    self.copy(
                        &name,
                        &Source {
                            file: file.as_ref(),
                            range,
                        },
                    )?;
                    return self.disk.remove_file(path);
                }
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => return self.disk.sync_dir(self.dir),
            }
        }
        Err(too_many(&name))
    }

    /// Removes what tries left that did not come to their end.
    pub(crate) fn remove_drafts(&self) -> io::Result<()> {
        for (path, _) in self.disk.read_dir(self.dir)? {
            if is_draft(&path) {
                self.disk.remove_file(&path)?;
            }
        }
        Ok(())
    }

    /// Notes that damage was met, and counts it.
    pub(crate) fn meet(&self) {
        self.met.store(true, Ordering::Relaxed);
        metrics::counter!(crate::metrics::LOG_DAMAGED).increment(1);
    }

    /// Whether any damage was met since this was made.
    pub(crate) fn is_met(&self) -> bool {
        self.met.load(Ordering::Relaxed)
    }

    /// How many pieces are kept here.
    pub(crate) fn pieces(&self) -> io::Result<u64> {
        let entries = self.disk.read_dir(self.dir)?;
        let is_piece = |path: &Path| !is_draft(path) && !is_tail(path);
        Ok(entries.iter().filter(|(path, _)| is_piece(path)).count() as u64)
    }

    /// Copies to a piece of this name, unless one with the same bytes is there; answers where it lies.
    fn copy(&self, name: &str, source: &Source<'_>) -> io::Result<PathBuf> {
        for piece in 1..=PIECES_OF_A_PLACE_MAX {
            let path = self.dir.join(numbered(name, piece, "bytes"));
            match self.disk.open_read(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    self.write(&path, source)?;
                    return Ok(path);
                }
                Err(error) => return Err(error),
                Ok(there) if source.is_held_by(there.as_ref())? => {
                    // An older program gave pieces their names before they were synced.
                    there.sync()?;
                    self.disk.sync_dir(self.dir)?;
                    return Ok(path);
                }
                Ok(_) => {} // Other bytes of the same place, or a part that an older program left.
            }
        }
        Err(too_many(name))
    }

    /// Writes a piece that is not there.
    fn write(&self, path: &Path, source: &Source<'_>) -> io::Result<()> {
        let draft = path.with_extension(DRAFT);
        self.remove_draft(&draft)?;
        let written = self
            .write_draft(&draft, source)
            .and_then(|()| self.disk.rename_new(&draft, path));
        if written.is_err() {
            // Its room is given back; the next try, or the next start, removes what is left.
            let _ = self.remove_draft(&draft);
        }
        written?;
        self.disk.sync_dir(self.dir)
    }

    fn write_draft(&self, draft: &Path, source: &Source<'_>) -> io::Result<()> {
        let (file, mut buffer, mut at) = (self.disk.create_new(draft)?, vec![0; COPY_BYTES], 0);
        loop {
            let read = source.read(at, &mut buffer)?;
            if read == 0 {
                return file.sync();
            }
            file.write_all_at(&buffer[..read], at)?;
            at += read as u64;
        }
    }

    fn remove_draft(&self, draft: &Path) -> io::Result<()> {
        match self.disk.remove_file(draft) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Source<'_> {
    /// Reads at a place of the piece; 0 at its end.
    fn read(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = (self.range.end - self.range.start).saturating_sub(at);
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.file.read_at(&mut buffer[..wanted], self.range.start + at)
    }

    /// Whether a file holds just these bytes.
    fn is_held_by(&self, there: &dyn File) -> io::Result<bool> {
        let (mut own, mut its, mut at) = (vec![0; COPY_BYTES], vec![0; COPY_BYTES], 0);
        loop {
            let (read, found) = (self.read(at, &mut own)?, there.read_at(&mut its, at)?);
            if own[..read] != its[..found] {
                return Ok(false);
            }
            if read == 0 {
                return Ok(true);
            }
            at += read as u64;
        }
    }
}

impl File for Bytes<'_> {
    fn write_all_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = &self.0[usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len())..];
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn allocate(&self, _: u64) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        Err(ErrorKind::Unsupported.into())
    }
}

/// What the piece of a place is called.
fn name_of(segment: u32, offset: u64) -> String {
    format!("{segment:016}-{offset}")
}

/// The name of the first piece, or of a further one.
fn numbered(name: &str, piece: u32, extension: &str) -> String {
    match piece {
        1 => format!("{name}.{extension}"),
        further => format!("{name}-{further}.{extension}"),
    }
}

fn is_draft(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == DRAFT)
}

fn is_tail(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(TAIL))
}

fn too_many(name: &str) -> io::Error {
    io::Error::other(format!(
        "{PIECES_OF_A_PLACE_MAX} pieces of {name} are kept already: move them out of the folder"
    ))
}

fn report(segment: u32, range: &Range<u64>, kept: io::Result<PathBuf>) -> bool {
    let (start, end) = (range.start, range.end);
    match kept {
        Ok(path) => {
            tracing::error!(
                segment, start, end, kept = %path.display(),
                "the write-ahead log is damaged: bytes that were synced are there no more; what is there was set aside"
            );
            true
        }
        Err(error) => {
            tracing::error!(
                segment, start, end, %error,
                "the write-ahead log is damaged: bytes that were synced are there no more; what is there could not be set aside: the segment stays until it can"
            );
            false
        }
    }
}
