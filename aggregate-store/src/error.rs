//! Why the store could not do what was asked. Each says who must act.

use std::error::Error;

use crate::FoldVersion;

/// The aggregate store could not do what was asked. A commit that ends so wrote nothing; if the answer itself was
/// lost ([`Ended`](Self::Ended), or a [`Database`](Self::Database) that says so), committing again is harmless, for
/// chunks bear identities.
#[derive(Debug, thiserror::Error)]
pub enum AggregateError {
    /// The tables are of a newer program.
    #[error(
        "{place}: the aggregates have schema {found}, this program knows up to {known}: use a newer program"
    )]
    Newer {
        /// Where they are.
        place: String,
        /// Their schema version.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// The tables are of an older program, and were opened for reading only.
    #[error(
        "{place}: the aggregates have schema {found}, older than {known}: start `serve` once, it migrates them"
    )]
    Older {
        /// Where they are.
        place: String,
        /// Their schema version.
        found: u32,
        /// The one that this program reads.
        known: u32,
    },
    /// There is nothing to read.
    #[error("{place}: there are no aggregates here yet: start `serve` once, it makes them")]
    Absent {
        /// Where they were looked for.
        place: String,
    },
    /// The file cannot be used, most likely for it is damaged.
    #[error(
        "{place}: {cause}: if the file is damaged, move it away, with its -wal and -shm, and start again: all is folded \
         anew from the chunks"
    )]
    File {
        /// The file.
        place: String,
        /// What the database says.
        cause: String,
    },
    /// The file cannot be used, for this user may not.
    #[error(
        "{place}: {cause}: this user may not write there, which reading needs, too: run this as the user of the process, or \
         mend the rights of the file, of its -wal and -shm, and of its folder"
    )]
    Denied {
        /// The file.
        place: String,
        /// What the database says.
        cause: String,
    },
    /// It was opened for reading only.
    #[error("the aggregates were opened for reading only")]
    ReadOnly,
    /// What is stored was folded under other rules.
    #[error(
        "the aggregates were folded by version {} with {}: rebuild them, or use that version and those settings",
        stored.code, stored.settings
    )]
    OtherFoldVersion {
        /// The rules under which it was folded.
        stored: FoldVersion,
    },
    /// Clients were hashed with another secret.
    #[error(
        "clients that these aggregates count were hashed with the secret {known}, and {given} is given: give back that one, for by another \
         secret each user is counted once more; if it is lost for good, start once with --client-secret-replaces {known}"
    )]
    OtherClientSecret {
        /// What tells the secret that was in use.
        known: String,
        /// What tells the one that is given.
        given: String,
    },
    /// What one source counts cannot be told from what others do.
    #[error(
        "an older program began these aggregates and did not count by source: rebuild all of them once, then one source can be \
         rebuilt alone"
    )]
    NotCountedBySource,
    /// What some days count cannot be told from what others do.
    #[error(
        "an older program began these aggregates and did not count by day: to fold some days anew would drop what is counted of \
         the others; fold all days anew once: `highwater rebuild --forget-older`, without the days whose pings were deleted"
    )]
    NotCountedByDay,
    /// Everything is being folded anew: no single source is beside that.
    #[error("a rebuild of everything is under way: wait for its end, or give it up first")]
    RebuildUnderWay,
    /// A batch contradicts itself: an error of the program.
    #[error("the batch is wrong: {0}")]
    Batch(&'static str),
    /// Parts of a batch came, but not its last one: whoever folded it gave up.
    #[error("a batch that came in parts has no end, and was dropped")]
    Unfinished,
    /// What is stored cannot be read.
    #[error("the aggregates are damaged ({0}): rebuild them from the chunks")]
    Damaged(String),
    /// What a batch was folded on top of is gone: another writer was first with some of it.
    #[error("another writer folded some of the same chunks first: fold the batch again")]
    Outdated,
    /// The database refused.
    #[error("{doing}: {source}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the database says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The answer would be larger than whoever asked allows: ask for less.
    #[error("the answer has more than {limit} {what}: ask for less")]
    TooLarge {
        /// What it has too many of: `rows` or `bins`.
        what: &'static str,
        /// How many it may have.
        limit: usize,
    },
    /// The store's thread has ended, so nobody answers.
    #[error("the aggregate store has ended: start the process again")]
    Ended,
}
