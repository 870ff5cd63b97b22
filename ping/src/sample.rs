//! The sample a client belongs to.

use crc_fast::{CrcAlgorithm, checksum};

use crate::ClientId;

/// `crc32(client id in its normal form) % 100`, with the CRC-32 of zip and gzip: so 1 % samples are the same clients every
/// day.
///
/// Source: the original's decoder; `c4582ba1-79fc-1f47-ae2a-671118dccd8b` is recorded with sample id 4.
pub fn sample_id(client: &ClientId) -> u8 {
    (checksum(CrcAlgorithm::Crc32IsoHdlc, client.as_str().as_bytes()) % 100) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_client_has_its_recorded_sample_id_in_whatever_case() {
        for sent in [
            "c4582ba1-79fc-1f47-ae2a-671118dccd8b",
            "C4582BA1-79FC-1F47-AE2A-671118DCCD8B",
        ] {
            assert_eq!(sample_id(&ClientId::parse(sent).expect("an id")), 4);
        }
    }
}
