//! How often a log was started, remembered in a file beside its folder: a log that was removed, restored from an old
//! copy, or lost its newest segments is noticed by it, and no record's number is given twice.
//!
//! ```text
//! highwater-log-starts 1 <incarnation, 32 hex digits> <starts> <CRC-32C of all before this blank, 8 hex digits>
//! ```
//! And how often a log says itself that it was started, by the first frames of its segments.
//! What does not live here: what follows from it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crc_fast::{CrcAlgorithm, checksum};
use disk::Disk;
use index_schema::proto::LogState;
use ping::Incarnation;
use prost::Message;

use super::frame::FrameKind;
use super::segment::{self, Entry, SEGMENT_HEADER_BYTES, SegmentReader};

/// What the file begins with: its kind and version.
const KIND: &str = "highwater-log-starts 1";

/// The file beside a log.
#[derive(Debug)]
pub(crate) struct Starts {
    path: PathBuf,
    own: Incarnation,
}

impl Starts {
    /// That of the log of incarnation `own` in the folder `dir`.
    pub(crate) fn beside(dir: &Path, own: Incarnation) -> Self {
        Self {
            path: named(dir, "-starts"),
            own,
        }
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How often the log was started; 0 when nothing readable says so, or only of another incarnation.
    pub(crate) fn remembered(&self, disk: &dyn Disk) -> io::Result<u64> {
        let file = match disk.open_read(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            other => other?,
        };
        let mut bytes = [0; 256];
        let read = file.read_at(&mut bytes, 0)?;
        let Some((incarnation, starts)) = decode(&bytes[..read]) else {
            tracing::warn!(
                path = %self.path.display(),
                "the file that remembers the log's starts is damaged: it is not believed, and made anew"
            );
            return Ok(0);
        };
        Ok(if incarnation == self.own { starts } else { 0 })
    }

    /// How often the log in the folder `dir` was started, by what is remembered here and by what it says itself. Changes
    /// nothing; what cannot be understood says nothing.
    pub(crate) fn so_far(&self, disk: &dyn Disk, dir: &Path) -> io::Result<u64> {
        let mut starts = self.remembered(disk)?;
        let entries = match disk.read_dir(dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(starts),
            other => other?,
        };
        let own = self.own.as_bytes();
        for (path, _) in entries {
            if segment::number(&path).is_some()
                && let Some(state) = state_of(disk, &path)?
                && state.incarnation[..] == own[..]
            {
                starts = starts.max(state.boot);
            }
        }
        Ok(starts)
    }

    /// Remembers a start, durably. What was remembered before stays until then.
    pub(crate) fn remember(&self, disk: &dyn Disk, starts: u64) -> io::Result<()> {
        disk::replace(disk, &self.path, encode(self.own, starts).as_bytes())
    }
}

/// The state with which a segment begins.
fn state_of(disk: &dyn Disk, path: &Path) -> io::Result<Option<LogState>> {
    let file = disk.open_read(path)?;
    let mut header = [0; SEGMENT_HEADER_BYTES as usize];
    let read = file.read_at(&mut header, 0)?;
    let Ok(header) = segment::decode_header(&header[..read]) else {
        return Ok(None);
    };
    let mut reader = SegmentReader::closed(file.as_ref(), header.salt, file.len()?);
    Ok(match reader.next()? {
        Some(Entry::Frame { frame, .. }) if frame.kind == FrameKind::State => {
            LogState::decode(frame.payload).ok()
        }
        _ => None,
    })
}

fn named(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn encode(own: Incarnation, starts: u64) -> String {
    let incarnation = u128::from_be_bytes(*own.as_bytes());
    let text = format!("{KIND} {incarnation:032x} {starts}");
    let checksum = checksum(CrcAlgorithm::Crc32Iscsi, text.as_bytes());
    format!("{text} {checksum:08x}\n")
}

fn decode(bytes: &[u8]) -> Option<(Incarnation, u64)> {
    let (text, sum) = std::str::from_utf8(bytes)
        .ok()?
        .strip_suffix('\n')?
        .rsplit_once(' ')?;
    let right = checksum(CrcAlgorithm::Crc32Iscsi, text.as_bytes());
    if u64::from_str_radix(sum, 16).ok()? != right {
        return None;
    }
    let (incarnation, starts) = text.strip_prefix(KIND)?.strip_prefix(' ')?.split_once(' ')?;
    let incarnation = u128::from_str_radix(incarnation, 16).ok()?;
    Some((
        Incarnation::from_bytes(incarnation.to_be_bytes()),
        starts.parse().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Incarnation = Incarnation::from_bytes([0xab; 16]);

    #[test]
    fn what_was_written_once_is_read_for_ever_and_a_flip_is_not_believed() {
        let text = encode(OWN, 17);
        assert_eq!(
            text,
            "highwater-log-starts 1 abababababababababababababababab 17 df71231d\n"
        );
        assert_eq!(decode(text.as_bytes()), Some((OWN, 17)));
        for bit in 0..text.len() * 8 {
            let mut flipped = text.clone().into_bytes();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // The sum's own digits may be written in capitals, too.
            let read = decode(&flipped);
            assert!(read.is_none() || read == Some((OWN, 17)), "bit {bit}: {read:?}");
        }
        for length in 0..text.len() {
            assert_eq!(decode(&text.as_bytes()[..length]), None, "cut at {length}");
        }
    }
}
