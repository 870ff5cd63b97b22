//! Compression of data frames with a context and buffers that are used again, also from chunk to chunk.

use std::fmt;
use std::io;

use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

/// The level: nine times smaller than the raw records at half a gigabyte a second. Higher ones cost more than they save.
const LEVEL: i32 = 3;

/// Tables for frames of [`SMALL_BYTES`] or more. They take 320 KB where level 3 takes 768, stay in a processor's own cache,
/// and with matches of six bytes or more store less all the same.
const LARGE: [CParameter; 3] = tables(16, 14);

/// Tables for smaller frames, of 192 KB: between two tiny chunks, other work takes the cache, and what is larger is read
/// from memory anew for each.
const SMALL: [CParameter; 3] = tables(15, 14);

/// Where a frame begins to be worth the larger tables: about five main pings.
const SMALL_BYTES: usize = 512 << 10;

/// Makes data frames: one-shot, with content size and checksum.
pub struct FrameEncoder {
    compressor: Compressor<'static>,
    /// Whether its tables are those for small frames.
    is_small: bool,
    pub(crate) raw: Vec<u8>,
    stored: Vec<u8>,
}

impl FrameEncoder {
    /// An encoder. It keeps about 20 MB once it has made a full frame.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new() -> io::Result<Self> {
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        set(&mut compressor, &LARGE)?;
        Ok(Self {
            compressor,
            is_small: false,
            raw: Vec::new(),
            stored: Vec::new(),
        })
    }

    /// Compresses what was gathered in `raw` into one frame, and empties `raw`.
    pub(crate) fn compress(&mut self) -> io::Result<&[u8]> {
        let is_small = self.raw.len() < SMALL_BYTES;
        if is_small != self.is_small {
            set(&mut self.compressor, if is_small { &SMALL } else { &LARGE })?;
            self.is_small = is_small;
        }
        self.stored.clear();
        self.stored
            .reserve(zstd::zstd_safe::compress_bound(self.raw.len()));
        self.compressor.compress_to_buffer(&self.raw, &mut self.stored)?;
        self.raw.clear();
        Ok(&self.stored)
    }
}

const fn tables(hash_log: u32, chain_log: u32) -> [CParameter; 3] {
    [
        CParameter::HashLog(hash_log),
        CParameter::ChainLog(chain_log),
        CParameter::MinMatch(6),
    ]
}

fn set(compressor: &mut Compressor<'_>, tables: &[CParameter]) -> io::Result<()> {
    tables
        .iter()
        .try_for_each(|parameter| compressor.set_parameter(*parameter))
}

impl fmt::Debug for FrameEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameEncoder")
            .field("raw", &self.raw.len())
            .finish_non_exhaustive()
    }
}
