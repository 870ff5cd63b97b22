//! The sample a client belongs to.

use crc_fast::{CrcAlgorithm, checksum};

/// `crc32(client id as UTF-8) % 100`, with the CRC-32 of zip and gzip: so 1 % samples are the same clients every day.
///
/// Source: the original's decoder; `c4582ba1-79fc-1f47-ae2a-671118dccd8b` is recorded with sample id 4.
pub fn sample_id(client_id: &str) -> u8 {
    (checksum(CrcAlgorithm::Crc32IsoHdlc, client_id.as_bytes()) % 100) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_client_has_its_recorded_sample_id() {
        assert_eq!(sample_id("c4582ba1-79fc-1f47-ae2a-671118dccd8b"), 4);
    }
}
