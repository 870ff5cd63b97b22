//! Finding the segments of a log: their order, headers and states.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use disk::{Disk, File};
use index_schema::proto::LogState;
use prost::Message;

use super::chain::Reader;
use super::damage::Damaged;
use super::frame::FrameKind;
use super::open::{OpenError, disk_error};
use super::segment::{self, Entry, Header, HeaderError, SEGMENT_HEADER_BYTES, SegmentReader};

/// A segment as found.
pub(crate) struct Found {
    pub(crate) number: u32,
    pub(crate) reader: Option<Reader>,
    pub(crate) state: Option<LogState>,
    /// Damage of it that could not be set aside.
    pub(crate) unkept: Vec<Range<u64>>,
}

/// The segments in the folder, in order, without any that precede a gap: segments are removed oldest first, so a
/// segment before a gap was settled and came back by a power cut. It is set aside all the same, never removed.
pub(crate) fn find(disk: &dyn Disk, dir: &Path, damaged: &Damaged<'_>) -> Result<Vec<Found>, OpenError> {
    let entries = disk
        .read_dir(dir)
        .map_err(|source| disk_error("list", dir, source))?;
    let mut numbers: Vec<u32> = entries
        .iter()
        .filter_map(|(path, _)| segment::number(path))
        .collect();
    numbers.sort_unstable();
    let contiguous = (1..numbers.len())
        .rev()
        .find(|at| numbers[*at] != numbers[at - 1] + 1)
        .unwrap_or(0);
    for number in numbers.drain(..contiguous) {
        let path = segment::path(dir, number);
        tracing::error!(path = %path.display(), "a log segment precedes a gap: it is set aside");
        damaged.meet();
        damaged
            .move_file(&path)
            .and_then(|()| disk.sync_dir(dir))
            .map_err(|source| disk_error("set aside", &path, source))?;
    }
    numbers
        .into_iter()
        .map(|number| find_one(disk, dir, number, damaged))
        .collect()
}

fn find_one(disk: &dyn Disk, dir: &Path, number: u32, damaged: &Damaged<'_>) -> Result<Found, OpenError> {
    let path = segment::path(dir, number);
    let failed = |source| disk_error("read", &path, source);
    let file: Arc<dyn File> = Arc::from(disk.open(&path).map_err(failed)?);
    let mut header = [0; SEGMENT_HEADER_BYTES as usize];
    let read = file.read_at(&mut header, 0).map_err(failed)?;
    match segment::decode_header(&header[..read]) {
        Ok(Header { salt, mended }) => {
            if mended {
                tracing::warn!(path = %path.display(), "a bit of a log segment's header had flipped: its checksum says which, nothing is lost; look at the disk");
            }
            let mut reader = SegmentReader::closed(file.as_ref(), salt, file.len().map_err(failed)?);
            let state = match reader.next().map_err(failed)? {
                Some(Entry::Frame { frame, .. }) if frame.kind == FrameKind::State => {
                    LogState::decode(frame.payload).ok()
                }
                _ => None,
            };
            Ok(Found {
                number,
                reader: Some(Reader::new(file, salt).map_err(failed)?),
                state,
                unkept: Vec::new(),
            })
        }
        Err(HeaderError::Newer(version)) => Err(OpenError::Newer { path, version }),
        Err(HeaderError::Damaged) => {
            let length = file.len().map_err(failed)?;
            let kept = damaged.keep(number, file.as_ref(), 0..length);
            Ok(Found {
                number,
                reader: None,
                state: None,
                unkept: (!kept).then_some(0..length).into_iter().collect(),
            })
        }
    }
}

/// How far a segment holds, as its successor says.
pub(crate) fn vouched_length(number: u32, next: &Found) -> Option<u64> {
    let state = next.state.as_ref()?;
    (state.previous_segment == u64::from(number)).then_some(state.previous_valid_length)
}
