//! Reads a chunk: its end, its ids, and any of its data frames alone.

use std::fmt;

use bytes::Bytes;
use zstd::bulk::Decompressor;

use crate::damage::{Damage, Part};
use crate::frame::{self, DATA_MAGIC};
use crate::ids::{Ids, IdsError};
use crate::tail::{DataFrame, Tail, TailError};

/// A whole chunk in memory. Whoever reads by ranges takes a [`Tail`], then each [`DataFrame::range`] for a
/// [`FrameDecoder`].
#[derive(Debug)]
pub struct ChunkReader {
    bytes: Bytes,
    tail: Tail,
    decoder: FrameDecoder,
}

/// Decompresses data frames, each alone, with a context that is used again.
pub struct FrameDecoder {
    decompressor: Decompressor<'static>,
}

impl ChunkReader {
    /// Reads a chunk's end. Its data is read and checked frame by frame, when asked for.
    ///
    /// # Errors
    /// When it is no chunk, or of an unknown format.
    pub fn new(bytes: Bytes) -> Result<Self, TailError> {
        let tail = match Tail::parse(&bytes, bytes.len() as u64) {
            Err(TailError::NeedMore(_)) => {
                let what = "the file is shorter than any chunk";
                return Err(Damage::new(Part::SeekTable, what).into());
            }
            other => other?,
        };
        Ok(Self {
            bytes,
            tail,
            decoder: FrameDecoder::new(),
        })
    }

    /// What its end says.
    pub const fn tail(&self) -> &Tail {
        &self.tail
    }

    /// Where its data frames lie.
    pub fn frames(&self) -> &[DataFrame] {
        &self.tail.data_frames
    }

    /// The raw bytes of one data frame, for [`crate::records`].
    ///
    /// # Errors
    /// When the frame is damaged.
    ///
    /// # Panics
    /// When there is no frame of that number.
    pub fn frame(&mut self, number: usize) -> Result<Vec<u8>, Damage> {
        let mut raw = Vec::new();
        self.frame_into(number, &mut raw)?;
        Ok(raw)
    }

    /// The same, into a buffer that is used again; what was in it is gone.
    ///
    /// # Errors
    /// When the frame is damaged.
    ///
    /// # Panics
    /// When there is no frame of that number.
    pub fn frame_into(&mut self, number: usize, raw: &mut Vec<u8>) -> Result<(), Damage> {
        let frame = self.tail.data_frames[number];
        let start = usize::try_from(frame.offset).expect("it lies inside bytes in memory");
        self.decoder
            .decode(&frame, &self.bytes[start..start + frame.stored_len as usize], raw)
    }

    /// Who its records are.
    ///
    /// # Errors
    /// When the ids frame is damaged or of another version.
    pub fn ids(&self) -> Result<Ids<'_>, IdsError> {
        let at = |offset| usize::try_from(offset).expect("it lies inside bytes in memory");
        Ids::parse(&self.bytes[at(self.tail.ids.start)..at(self.tail.ids.end)])
    }
}

impl FrameDecoder {
    /// A decoder.
    pub fn new() -> Self {
        Self {
            decompressor: Decompressor::new().expect("without a dictionary nothing can fail but memory"),
        }
    }

    /// Decodes the data frame that lies at `frame`, whose stored bytes are `stored`, into `raw`; what was in it is
    /// gone. Takes no more memory than the seek table says, which is at most
    /// [`crate::limits::RECORD_RAW_BYTES_MAX`].
    ///
    /// # Errors
    /// When the bytes are not those of the frame.
    pub fn decode(&mut self, frame: &DataFrame, stored: &[u8], raw: &mut Vec<u8>) -> Result<(), Damage> {
        let damage = |what: String| Damage::new(Part::Data(frame.number), what);
        if stored.len() != frame.stored_len as usize || frame::u32_at(stored, 0) != Some(DATA_MAGIC) {
            return Err(damage("these are not its bytes".to_owned()));
        }
        raw.clear();
        raw.reserve(frame.raw_len as usize);
        self.decompressor
            .decompress_to_buffer(stored, raw)
            .map_err(|error| damage(format!("it does not decompress: {error}")))?;
        if raw.len() != frame.raw_len as usize {
            return Err(damage(
                "it has not the raw length that the seek table says".to_owned(),
            ));
        }
        Ok(())
    }
}

impl Default for FrameDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for FrameDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameDecoder")
    }
}
