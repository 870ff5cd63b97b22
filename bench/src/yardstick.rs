//! The yardsticks: what the machine's best libraries take for the heart of the work, and nothing else.

use std::io::Write;

use anyhow::{Context, Result, ensure};
use libdeflater::Decompressor;
use serde_json::Value;
use zstd::bulk::Compressor;
use zstd::zstd_safe::compress_bound;

use crate::bodies::Sent;

/// Raw bytes of a frame, as in a chunk.
const FRAME_BYTES: usize = 8 << 20;
/// The level of chunks.
const LEVEL: i32 = 3;

/// libdeflate alone, then zstd -3 alone, both with contexts and buffers that are used again.
pub(crate) struct Transcode {
    inflater: Decompressor,
    compressor: Compressor<'static>,
    body: Vec<u8>,
    raw: Vec<u8>,
    stored: Vec<u8>,
}

impl Transcode {
    /// Contexts and buffers.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            inflater: Decompressor::new(),
            compressor: Compressor::new(LEVEL)?,
            body: vec![0; FRAME_BYTES],
            raw: Vec::with_capacity(FRAME_BYTES),
            stored: Vec::with_capacity(compress_bound(FRAME_BYTES)),
        })
    }

    /// Inflates every body.
    pub(crate) fn inflate(&mut self, pings: &[Sent]) -> Result<()> {
        for ping in pings {
            let length = self.inflater.gzip_decompress(&ping.gzip, &mut self.body)?;
            ensure!(length == ping.body.len(), "libdeflate gave {length} bytes");
        }
        Ok(())
    }

    /// Compresses all bodies, one after the other, in frames of 8 MiB. Answers how many bytes they take.
    pub(crate) fn compress(&mut self, pings: &[Sent]) -> Result<usize> {
        let mut stored = 0;
        for ping in pings {
            if self.raw.len() + ping.body.len() > FRAME_BYTES {
                stored += self.end_frame()?;
            }
            self.raw.extend_from_slice(&ping.body);
        }
        Ok(stored + self.end_frame()?)
    }

    fn end_frame(&mut self) -> Result<usize> {
        self.stored.clear();
        let stored = self.compressor.compress_to_buffer(&self.raw, &mut self.stored)?;
        self.raw.clear();
        Ok(stored)
    }
}

/// How many bytes one zstd stream of level 3 makes of all bodies.
pub(crate) fn one_stream<'a>(bodies: impl IntoIterator<Item = &'a [u8]>) -> Result<u64> {
    let mut stream = zstd::Encoder::new(Counted::default(), LEVEL)?;
    for body in bodies {
        stream.write_all(body)?;
    }
    Ok(stream.finish()?.0)
}

/// Bytes that are counted and forgotten.
#[derive(Default)]
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Makes a tree of every body and drops it.
pub(crate) fn values<'a>(bodies: impl IntoIterator<Item = &'a [u8]>) -> Result<()> {
    for body in bodies {
        let tree: Value = serde_json::from_slice(body).context("a body is not JSON")?;
        std::hint::black_box(&tree);
    }
    Ok(())
}
