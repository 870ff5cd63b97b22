//! The secret by which clients are hashed, and what is derived from it. Each use has a key of its own, so that no answer of one
//! is an answer of another.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use ping::{ClientHash, ClientId, SubmissionDate};
use sha2::Sha256;

type HmacSha256 = Hmac<Sha256>;

/// What the keys are derived for. These texts never change: what is stored depends on them.
const FINGERPRINT: &str = "highwater client secret: fingerprint";
const ALWAYS: &str = "highwater client secret: clients";
const DAY: &str = "highwater client secret: clients of the day ";

/// 32 random bytes that nobody else knows.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret([u8; Self::BYTES]);

/// Tells one secret from another, and leads to none: 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 8]);

/// Hashes clients by one key.
#[derive(Clone)]
pub struct ClientHasher(HmacSha256);

impl ClientSecret {
    /// How long it is.
    pub const BYTES: usize = 32;

    /// The secret of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The secret of these bytes, if there are [`Self::BYTES`] of them.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes, for whoever keeps it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// What tells it from another one.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(beginning(&self.derived(FINGERPRINT)))
    }

    /// Hashes a client alike on all days.
    #[must_use]
    pub fn hasher(&self) -> ClientHasher {
        ClientHasher::keyed(&self.derived(ALWAYS))
    }

    /// Hashes a client alike on this day, and otherwise on any other.
    #[must_use]
    pub fn hasher_of(&self, day: SubmissionDate) -> ClientHasher {
        ClientHasher::keyed(&self.derived(&format!("{DAY}{day}")))
    }

    fn derived(&self, purpose: &str) -> [u8; 32] {
        keyed(&self.0)
            .chain_update(purpose)
            .finalize()
            .into_bytes()
            .into()
    }
}

impl ClientHasher {
    fn keyed(key: &[u8; 32]) -> Self {
        Self(keyed(key))
    }

    /// What stands for a client: the first 16 bytes of HMAC-SHA-256 over its id in lower case.
    #[must_use]
    pub fn hash(&self, client: &ClientId) -> ClientHash {
        let whole: [u8; 32] = self
            .0
            .clone()
            .chain_update(client.as_str())
            .finalize()
            .into_bytes()
            .into();
        ClientHash::from_bytes(beginning(&whole))
    }
}

/// The first bytes, of which there are enough.
fn beginning<const N: usize>(whole: &[u8; 32]) -> [u8; N] {
    std::array::from_fn(|at| whole[at])
}

fn keyed(key: &[u8; 32]) -> HmacSha256 {
    HmacSha256::new_from_slice(key).expect("a key of any length is taken")
}

impl Fingerprint {
    /// Reads a text of 16 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u64::from_str_radix(text, 16).ok().filter(|_| is_hex)?;
        Some(Self(bits.to_be_bytes()))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for ClientSecret {
    /// Never the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientSecret({})", self.fingerprint())
    }
}

impl fmt::Debug for ClientHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientHasher")
    }
}
