//! What answers read again and again, decoded and kept in memory: the cells of metrics, the dimension sets of sources, and
//! the texts of ids.
//!
//! What is kept is true of one moment: the number of transactions that ended since the file was opened. A reader looks at the
//! number before it opens its snapshot and after; where both are equal and nothing is being written, its snapshot is of that moment
//! ([`Moment`]). What was read of the moment that is still the last one is kept; after each transaction the writer adds what it
//! changed. A transaction whose changes nobody told empties it all, so what is forgotten here makes answers slower, never wrong.

mod cache;
mod changes;
mod known_sets;
mod read;
mod stretch;

pub(super) use cache::{Cache, Moment};
pub(super) use changes::{Change, Changes};
pub(super) use known_sets::KnownSets;
pub(super) use read::Decoded;
pub(super) use stretch::{Kind, Stretch, StretchBuilder, StretchCell};
