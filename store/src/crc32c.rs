//! The checksum of what is put (CRC-32C: RFC 3720, appendix B.4). Pure.

use crc_fast::CrcAlgorithm;

/// The CRC-32C of some bytes, with their number, so that those of neighbouring pieces can be joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crc32c {
    crc: u32,
    len: u64,
}

impl Crc32c {
    /// That of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            crc: low(crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, bytes)),
            len: bytes.len() as u64,
        }
    }

    /// That of these bytes and of others behind them.
    #[must_use]
    pub fn and(self, behind: Self) -> Self {
        let (front, back) = (u64::from(self.crc), u64::from(behind.crc));
        Self {
            crc: low(crc_fast::checksum_combine(
                CrcAlgorithm::Crc32Iscsi,
                front,
                back,
                behind.len,
            )),
            len: self.len + behind.len,
        }
    }

    /// The checksum itself.
    pub const fn value(self) -> u32 {
        self.crc
    }
}

fn low(crc: u64) -> u32 {
    u32::try_from(crc).expect("a CRC-32C has 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bit by bit, as the polynomial says.
    fn slow(bytes: &[u8]) -> u32 {
        let mut crc = u32::MAX;
        for byte in bytes {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 {
                    crc >> 1 ^ 0x82f6_3b78
                } else {
                    crc >> 1
                };
            }
        }
        !crc
    }

    #[test]
    fn the_checksum_of_parts_is_that_of_the_whole() {
        let bytes: Vec<u8> = (0..1000_u32)
            .map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3])
            .collect();
        for cut in [0, 1, 7, 500, 1000] {
            let (front, behind) = bytes.split_at(cut);
            let joined = Crc32c::of(front).and(Crc32c::of(behind));
            assert_eq!(joined, Crc32c::of(&bytes), "cut at {cut}");
            assert_eq!(joined.value(), slow(&bytes), "cut at {cut}");
        }
        assert_eq!(Crc32c::default(), Crc32c::of(b""));
        assert_eq!(Crc32c::default().and(Crc32c::of(&bytes)), Crc32c::of(&bytes));
    }
}
