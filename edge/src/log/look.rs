//! Looking at a log without changing anything: how many pings wait, how many are in chunks. For a directory on which no
//! process runs; beside one, the answer may be a moment old or fail.

use std::io;
use std::path::Path;

use disk::{Disk, File};
use index_schema::proto::LogState;
use ping::Incarnation;
use prost::Message;

use super::damage::Damaged;
use super::frame::FrameKind;
use super::open::OpenError;
use super::position::Position;
use super::recovery::Replay;
use super::segment::{self, Entry, Header, HeaderError, SEGMENT_HEADER_BYTES, SegmentReader};

/// What a log says of the pings it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Pings in no chunk yet.
    pub waiting: u64,
    /// Pings in chunks that are in the store.
    pub chunked: u64,
}

/// How many pieces of a log were set aside as damaged in this folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn damaged_pieces(disk: &dyn Disk, damaged_dir: &Path) -> io::Result<u64> {
    Damaged::new(disk, damaged_dir).pieces()
}

/// Reads the counts of the log of incarnation `own` in the folder `dir`. Damaged pieces are passed over.
///
/// # Errors
/// When the log cannot be read, is of a newer format, or belongs to another data directory.
pub fn read_counts(disk: &dyn Disk, dir: &Path, own: Incarnation) -> Result<LogCounts, OpenError> {
    let failed = |source| OpenError::Disk {
        action: "read",
        path: dir.to_owned(),
        source,
    };
    let entries = disk.read_dir(dir).map_err(failed)?;
    let mut numbers: Vec<u32> = entries
        .iter()
        .filter_map(|(path, _)| segment::number(path))
        .collect();
    numbers.sort_unstable();
    let mut replay = Replay::new(own);
    let files = numbers
        .iter()
        .map(|number| disk.open_read(&segment::path(dir, *number)));
    let files = files.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    for (at, file) in files.iter().enumerate() {
        let vouched = files
            .get(at + 1)
            .map(|next| vouched_length(next.as_ref(), numbers[at]))
            .transpose();
        let vouched = vouched.map_err(failed)?.flatten();
        read_segment(
            file.as_ref(),
            &segment::path(dir, numbers[at]),
            vouched,
            &mut replay,
        )?;
    }
    let chunked = replay.counters().chunked;
    let recovered = replay.finish();
    let planned: usize = recovered.plans.iter().map(|plan| plan.pings.len()).sum();
    Ok(LogCounts {
        waiting: (recovered.waiting.len() + planned) as u64,
        chunked,
    })
}

/// How far the segment `number` holds, as the next one says.
fn vouched_length(next: &dyn File, number: u32) -> io::Result<Option<u64>> {
    let Ok(Header { salt, .. }) = header(next)? else {
        return Ok(None);
    };
    let mut reader = SegmentReader::closed(next, salt, next.len()?);
    let Some(Entry::Frame { frame, .. }) = reader.next()? else {
        return Ok(None);
    };
    let state = (frame.kind == FrameKind::State)
        .then(|| LogState::decode(frame.payload).ok())
        .flatten();
    Ok(state
        .filter(|state| state.previous_segment == u64::from(number))
        .map(|state| state.previous_valid_length))
}

fn header(file: &dyn File) -> io::Result<Result<Header, HeaderError>> {
    let mut bytes = [0; SEGMENT_HEADER_BYTES as usize];
    let read = file.read_at(&mut bytes, 0)?;
    Ok(segment::decode_header(&bytes[..read]))
}

fn read_segment(
    file: &dyn File,
    path: &Path,
    vouched: Option<u64>,
    replay: &mut Replay,
) -> Result<(), OpenError> {
    let failed = |source| OpenError::Disk {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let salt = match header(file).map_err(failed)? {
        Ok(Header { salt, .. }) => salt,
        Err(HeaderError::Newer(version)) => {
            return Err(OpenError::Newer {
                path: path.to_owned(),
                version,
            });
        }
        Err(HeaderError::Damaged) => return Ok(()),
    };
    let mut reader = match vouched {
        Some(length) => SegmentReader::closed(file, salt, length),
        None => SegmentReader::last(file, salt).map_err(failed)?,
    };
    while let Some(entry) = reader.next().map_err(failed)? {
        if let Entry::Frame { offset, frame } = entry {
            // Where a ping lies does not matter to who only counts; a length of 0 would say that it was taken out.
            let position = Position::new(0, offset, frame.length);
            replay
                .apply(frame.kind, frame.payload, position, &mut |_| 0)
                .map_err(|error| OpenError::Foreign(error.to_string()))?;
        }
    }
    Ok(())
}
