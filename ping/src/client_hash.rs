//! What stands for a client where its id is not kept.

use std::fmt;

/// A keyed hash of a client's id: 16 bytes that nobody can lead back to the id without the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientHash([u8; 16]);

impl ClientHash {
    /// The hash of these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The hash of these bytes, if there are 16 of them.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// It as a text of 32 lower-case hexadecimal digits: what sketches of users are made of, as they are made of an id's text.
    pub fn to_hex(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }

    /// The hash of such a text.
    pub fn from_hex(text: &str) -> Option<Self> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u128::from_str_radix(text, 16).ok().filter(|_| is_hex)?;
        Some(Self(bits.to_be_bytes()))
    }
}

impl fmt::Debug for ClientHash {
    /// Not the hash: what is printed for debugging may reach a log, and a client is known by it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientHash")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_written_in_hexadecimal_and_reaches_no_log() {
        let hash = ClientHash::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(hash.to_hex(), "000102030405060708090a0b0c0d0eff");
        assert_eq!(format!("{hash:?}"), "ClientHash");
        assert_eq!(
            ClientHash::from_hex("000102030405060708090A0b0c0d0eff"),
            Some(hash)
        );
        for text in [
            "",
            "+00102030405060708090a0b0c0d0eff",
            "000102030405060708090a0b0c0d0ef",
            "000102030405060708090a0b0c0d0eff0",
        ] {
            assert_eq!(ClientHash::from_hex(text), None, "{text}");
        }
        assert_eq!(ClientHash::from_slice(hash.as_bytes()), Some(hash));
        assert_eq!(ClientHash::from_slice(&[1; 15]), None);
    }
}
