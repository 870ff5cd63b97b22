//! Setting aside what a log held where it is damaged: never removed, loud, and counted.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use disk::{Disk, File};

/// Bytes copied at once.
const COPY_BYTES: usize = 1 << 20;

/// The folder for what is damaged.
#[derive(Debug)]
pub(crate) struct Damaged<'d> {
    disk: &'d dyn Disk,
    dir: &'d Path,
    met: AtomicBool,
}

impl<'d> Damaged<'d> {
    /// The folder `dir`, which is there.
    pub(crate) const fn new(disk: &'d dyn Disk, dir: &'d Path) -> Self {
        Self {
            disk,
            dir,
            met: AtomicBool::new(false),
        }
    }

    /// Keeps a copy of a range of a segment. The same range is kept once, however often it is met.
    pub(crate) fn keep(&self, segment: u32, file: &dyn File, range: Range<u64>) {
        self.meet();
        let path = self.path(segment, range.start);
        let kept = self.copy(&path, |at, buffer| {
            let wanted = buffer
                .len()
                .min(usize::try_from(range.end - range.start - at).unwrap_or(usize::MAX));
            file.read_at(&mut buffer[..wanted], range.start + at)
        });
        report(segment, &range, &path, kept);
    }

    /// Keeps bytes that were read from a segment at this place.
    pub(crate) fn keep_bytes(&self, segment: u32, offset: u64, bytes: &[u8]) {
        self.meet();
        let path = self.path(segment, offset);
        let kept = self.copy(&path, |at, buffer| {
            let rest = &bytes[usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len())..];
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            Ok(length)
        });
        report(segment, &(offset..offset + bytes.len() as u64), &path, kept);
    }

    /// Moves a whole file here.
    pub(crate) fn move_file(&self, path: &Path) -> io::Result<()> {
        self.meet();
        let name = path.file_name().unwrap_or_default();
        tracing::error!(path = %path.display(), "set aside a log segment that precedes a gap");
        self.disk.rename(path, &self.dir.join(name))?;
        self.disk.sync_dir(self.dir)
    }

    /// Whether any damage was met since this was made.
    pub(crate) fn is_met(&self) -> bool {
        self.met.load(Ordering::Relaxed)
    }

    /// How many pieces are kept here.
    pub(crate) fn pieces(&self) -> io::Result<u64> {
        Ok(self.disk.read_dir(self.dir)?.len() as u64)
    }

    fn meet(&self) {
        self.met.store(true, Ordering::Relaxed);
        metrics::counter!(crate::metrics::LOG_DAMAGED).increment(1);
    }

    fn path(&self, segment: u32, offset: u64) -> PathBuf {
        self.dir.join(format!("{segment:016}-{offset}.bytes"))
    }

    fn copy(&self, path: &Path, mut read: impl FnMut(u64, &mut [u8]) -> io::Result<usize>) -> io::Result<()> {
        let copy = match self.disk.create_new(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            other => other?,
        };
        let (mut buffer, mut at) = (vec![0; COPY_BYTES], 0);
        loop {
            let length = read(at, &mut buffer)?;
            if length == 0 {
                break;
            }
            copy.write_all_at(&buffer[..length], at)?;
            at += length as u64;
        }
        copy.sync()?;
        self.disk.sync_dir(self.dir)
    }
}

fn report(segment: u32, range: &Range<u64>, path: &Path, kept: io::Result<()>) {
    let (start, end) = (range.start, range.end);
    match kept {
        Ok(()) => tracing::error!(
            segment, start, end, kept = %path.display(),
            "the write-ahead log is damaged: bytes that were synced are there no more; what is there was set aside"
        ),
        Err(error) => tracing::error!(
            segment, start, end, %error,
            "the write-ahead log is damaged: bytes that were synced are there no more; they could not be set aside"
        ),
    }
}
