//! What a claim says: an object of one line under `edges/<incarnation>/<boot>`.
//!
//! ```text
//! highwater-claim 1 <nonce, 32 hex digits> <lock>
//! ```
//! The lock is what its holder had locked: the running kernel as it calls itself (`boot_id` on Linux), and the lock file's
//! device and inode. Who holds the very same lock knows that the claim's holder lives no more: a lock file of another copy of
//! the directory has another inode, and one that is open gives its own to none. Claims of earlier versions say the kernel only,
//! which proves nothing.

use ping::Incarnation;

/// What a claim begins with: its kind and version.
const KIND: &str = "highwater-claim 1";
/// The longest name of a lock that is written.
const LOCK_BYTES_MAX: usize = 64;
/// Digits of a boot number in a key, so that keys are in the order of boots.
const BOOT_DIGITS: usize = 20;

/// A claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClaimObject {
    /// Which start of the log is claimed.
    pub(super) boot: u64,
    /// What its holder alone knew beforehand.
    pub(super) nonce: Nonce,
    /// What its holder had locked.
    pub(super) lock: String,
}

/// 128 random bits that only one data directory knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nonce(pub(super) u128);

impl ClaimObject {
    /// A claim; of the lock's name only what can be written in one word.
    pub(super) fn new(boot: u64, nonce: Nonce, lock: &str) -> Self {
        let word = lock.chars().filter(char::is_ascii_graphic);
        Self {
            boot,
            nonce,
            lock: word.take(LOCK_BYTES_MAX).collect(),
        }
    }

    /// Its object's key.
    pub(super) fn key(&self, own: Incarnation) -> String {
        key(own, self.boot)
    }

    /// Its object.
    pub(super) fn encode(&self) -> String {
        format!("{KIND} {} {}\n", self.nonce, self.lock)
    }

    /// Reads key and object.
    pub(super) fn decode(own: Incarnation, key: &str, object: &[u8]) -> Option<Self> {
        let boot = boot(own, key)?;
        let line = std::str::from_utf8(object).ok()?.strip_suffix('\n')?;
        let (nonce, lock) = line.strip_prefix(KIND)?.strip_prefix(' ')?.split_once(' ')?;
        let claim = Self::new(boot, Nonce::decode(nonce)?, lock);
        (claim.lock == lock).then_some(claim)
    }
}

impl Nonce {
    /// Reads 32 hex digits in lower case.
    pub(super) fn decode(text: &str) -> Option<Self> {
        let nonce = Self(u128::from_str_radix(text, 16).ok()?);
        (nonce.to_string() == text).then_some(nonce)
    }
}

impl std::fmt::Display for Nonce {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

/// The key of the claim of a start.
pub(super) fn key(own: Incarnation, boot: u64) -> String {
    format!("{}{boot:0BOOT_DIGITS$}", folder(own))
}

/// What the keys of all claims of a log begin with.
pub(super) fn folder(own: Incarnation) -> String {
    format!("edges/{own}/")
}

/// Which start a key claims.
pub(super) fn boot(own: Incarnation, key: &str) -> Option<u64> {
    let digits = key.strip_prefix(&folder(own))?;
    let boot = digits.parse().ok()?;
    (format!("{boot:0BOOT_DIGITS$}") == digits).then_some(boot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OWN: Incarnation = Incarnation::from_bytes([0xab; 16]);

    #[test]
    fn a_claim_of_version_1_is_read_for_ever() {
        let claim = ClaimObject::new(7, Nonce(0xfe), "0f-lock");
        assert_eq!(
            claim.key(OWN),
            "edges/abababababababababababababababab/00000000000000000007"
        );
        assert_eq!(
            claim.encode(),
            "highwater-claim 1 000000000000000000000000000000fe 0f-lock\n"
        );
    }

    proptest! {
        #[test]
        fn a_claim_is_read_as_it_was_written(boot: u64, nonce: u128, lock: String) {
            let claim = ClaimObject::new(boot, Nonce(nonce), &lock);
            prop_assert_eq!(ClaimObject::decode(OWN, &claim.key(OWN), claim.encode().as_bytes()), Some(claim));
        }

        #[test]
        fn keys_are_in_the_order_of_boots(one: u64, other: u64) {
            let key = |boot| ClaimObject::new(boot, Nonce(0), "").key(OWN);
            prop_assert_eq!(key(one).cmp(&key(other)), one.cmp(&other));
        }

        #[test]
        fn anything_else_is_no_claim(object: Vec<u8>) {
            let key = ClaimObject::new(1, Nonce(0), "").key(OWN);
            if let Some(claim) = ClaimObject::decode(OWN, &key, &object) {
                prop_assert_eq!(claim.encode().into_bytes(), object);
            }
        }
    }
}
