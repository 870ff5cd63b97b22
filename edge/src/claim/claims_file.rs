//! What a data directory remembers of its claims, in a file beside the log: the nonce of the claim that it held last, and
//! the one of the claim that it may have made since and not heard of.
//!
//! ```text
//! highwater-claims 1 <incarnation, 32 hex digits> <held, 32 hex digits> <next, 32 hex digits> <CRC-32C, 8 hex digits>
//! ```

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crc_fast::{CrcAlgorithm, checksum};
use disk::Disk;
use ping::Incarnation;

use super::claim_object::Nonce;

/// What the file begins with: its kind and version.
const KIND: &str = "highwater-claims 1";

/// The two nonces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// That of the newest claim that is known to be ours; as good as any other before the first one.
    pub(super) held: Nonce,
    /// That of all claims tried since.
    pub(super) next: Nonce,
}

/// The file.
#[derive(Clone, Debug)]
pub(super) struct ClaimsFile {
    path: PathBuf,
    own: Incarnation,
}

impl Known {
    /// Whether a claim with this nonce was made by this data directory.
    pub(super) fn made(&self, nonce: Nonce) -> bool {
        nonce == self.held || nonce == self.next
    }
}

impl ClaimsFile {
    /// That beside the log in the folder `log_dir`.
    pub(super) fn beside(log_dir: &Path, own: Incarnation) -> Self {
        let mut name = log_dir.as_os_str().to_owned();
        name.push("-claims");
        Self {
            path: name.into(),
            own,
        }
    }

    /// What is remembered, if anything is.
    ///
    /// # Errors
    /// Those of the file system; `InvalidData` when the file is damaged, for without it nobody can tell whose the claims are.
    pub(super) fn read(&self, disk: &dyn Disk) -> io::Result<Option<Known>> {
        let file = match disk.open_read(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let mut bytes = [0; 256];
        let read = file.read_at(&mut bytes, 0)?;
        let Some((incarnation, known)) = decode(&bytes[..read]) else {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                format!("{} is damaged", self.path.display()),
            ));
        };
        Ok((incarnation == self.own).then_some(known))
    }

    /// Remembers, durably. What was remembered before stays until then.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn write(&self, disk: &dyn Disk, known: Known) -> io::Result<()> {
        disk::replace(disk, &self.path, encode(self.own, known).as_bytes())
    }
}

fn encode(own: Incarnation, known: Known) -> String {
    let text = format!("{KIND} {own} {} {}", known.held, known.next);
    let sum = checksum(CrcAlgorithm::Crc32Iscsi, text.as_bytes());
    format!("{text} {sum:08x}\n")
}

fn decode(bytes: &[u8]) -> Option<(Incarnation, Known)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut words = text.strip_prefix(KIND)?.strip_prefix(' ')?.split(' ');
    let own = words.next()?.parse().ok()?;
    let known = Known {
        held: Nonce::decode(words.next()?)?,
        next: Nonce::decode(words.next()?)?,
    };
    (encode(own, known) == text).then_some((own, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Incarnation = Incarnation::from_bytes([0xab; 16]);

    #[test]
    fn what_was_written_is_read_and_a_flip_is_not_believed() {
        let known = Known {
            held: Nonce(1),
            next: Nonce(u128::MAX),
        };
        let text = encode(OWN, known);
        assert_eq!(decode(text.as_bytes()), Some((OWN, known)));
        for bit in 0..text.len() * 8 {
            let mut flipped = text.clone().into_bytes();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&flipped), None, "bit {bit}");
        }
    }
}
