//! Leases: who of several aggregators folds which chunks. They make double work rare; what makes it harmless is that a
//! batch bears the fences of its leases, which the store compares as it writes.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use ping::ChunkId;
use xxhash_rust::xxh3::xxh3_64;

use crate::AggregateError;

/// Into how many shards chunks are divided: many times as many as aggregators, so that each has about as many as another.
/// It is stored by being what all processes agree on: a change needs a new version of the tables.
pub const SHARDS: u16 = 64;

/// Who holds leases: drawn by each process at its start.
pub type Holder = [u8; 16];

/// What a holder begins with that holds up all others.
const STANDING: [u8; 8] = *b"standing";

/// A holder that may [`take_all`](Leases::take_all), told from those that fold by what it begins with.
#[must_use]
pub fn standing_holder(random: [u8; 16]) -> Holder {
    let mut holder = random;
    holder[..8].copy_from_slice(&STANDING);
    holder
}

/// A shard that is held, and the number of the claim by which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lease {
    /// The shard, below [`SHARDS`].
    pub shard: u16,
    /// Rises with each claim of the shard.
    pub fence: u64,
}

/// The door to leases. Times are the database's.
#[async_trait]
pub trait Leases: fmt::Debug + Send + Sync + 'static {
    /// Says that `holder` lives, for as long as `ttl` from now; gives back what is more than its share, and claims up to it
    /// what is free or held by nobody who lives. Answers what is held now, ascending. Called several times in each `ttl`.
    ///
    /// # Errors
    /// When the database refused: then nothing has changed.
    async fn renew(&self, holder: Holder, ttl: Duration) -> Result<Vec<Lease>, AggregateError>;

    /// Claims every shard, whoever folds by it: no batch that is under way is written any more, and nobody else folds until
    /// [`leave`](Self::leave), or for as long as `ttl`. Waits for commits under way. `holder` is a [`standing_holder`], drawn for
    /// this call; `false`, and nothing has changed, while another one of these lives.
    ///
    /// # Errors
    /// When the database refused, or a commit took too long: then nothing has changed.
    async fn take_all(&self, holder: Holder, ttl: Duration) -> Result<bool, AggregateError>;

    /// Gives everything back, so that others need not wait for the end of a time-out.
    ///
    /// # Errors
    /// When the database refused: then the leases end with their time.
    async fn leave(&self, holder: Holder) -> Result<(), AggregateError>;
}

/// The shard of a chunk, below [`SHARDS`].
#[must_use]
pub fn shard_of(chunk: ChunkId) -> u16 {
    let ChunkId {
        incarnation,
        boot,
        plan,
    } = chunk;
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(incarnation.as_bytes());
    bytes[16..24].copy_from_slice(&boot.to_be_bytes());
    bytes[24..].copy_from_slice(&plan.to_be_bytes());
    let shard = xxh3_64(&bytes) % u64::from(SHARDS);
    u16::try_from(shard).expect("it is below the number of shards")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::chunk_id;

    #[test]
    fn the_shard_of_a_chunk_is_the_same_for_ever() {
        let shards = [(1, 1, 1), (1, 1, 2), (1, 2, 1), (2, 1, 1), (255, 7, 1_000_000)]
            .map(|(incarnation, boot, plan)| shard_of(chunk_id(incarnation, boot, plan)));
        assert_eq!(shards, [47, 32, 38, 15, 17]);
    }

    #[test]
    fn chunks_of_one_log_are_spread_over_all_shards() {
        let mut counts = [0; SHARDS as usize];
        for plan in 0..6_400 {
            counts[usize::from(shard_of(chunk_id(3, 1, plan)))] += 1;
        }
        assert!(counts.iter().all(|count| (50..200).contains(count)), "{counts:?}");
    }
}
