//! What a chunk is written through: counts and hashes what passes.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

/// A sink, and the SHA-256 and number of the bytes written to it.
pub(crate) struct HashingSink<W> {
    sink: W,
    hash: Sha256,
    written: u64,
}

impl<W> HashingSink<W> {
    pub(crate) fn new(sink: W) -> Self {
        Self {
            sink,
            hash: Sha256::new(),
            written: 0,
        }
    }

    /// Bytes written so far.
    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    /// The SHA-256 of the bytes written so far.
    pub(crate) fn sha256(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    pub(crate) fn into_inner(self) -> W {
        self.sink
    }
}

impl<W: Write> HashingSink<W> {
    /// Writes all of it.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sink.write_all(bytes)?;
        self.hash.update(bytes);
        self.written += bytes.len() as u64;
        Ok(())
    }
}
