//! Where aggregates live: histogram cells, user sketches, folded chunks, seen rows and counters, behind one door.
//!
//! - [`AggregateStore`] is the door of who folds: one [`Batch`] is one transaction, all or nothing.
//! - [`AggregateReads`] is the door of who asks: lists, series, users, status and the dump.
//! - [`SeenIds`] tells which copies of a document are known.
//! - [`LayeredAggregates`] keeps the newest layer in memory, before a database.
//! - [`ClientSecrets`] is the note with which secret clients were hashed that are counted.
//! - [`Leases`] is the door of who shares chunks out with others.
//! - [`Rebuilds`] is the door of who folds a source anew beside what is in use.
//! - [`RetainAggregates`] is the door of who deletes by date.
//! - [`SqliteAggregates`] is the back end inside one process; `PostgresAggregates` (feature `postgres`) the one for several
//!   that share a database; `conformance` (a feature) is what every back end passes.

mod batch;
mod bounds;
mod build_date;
mod builder;
mod catalogue;
mod client_secret;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod dimensions;
mod door;
mod epochs;
mod error;
mod fold_version;
mod layer;
mod leases;
mod limits;
mod lines;
mod listing;
pub mod metrics;
mod pieces;
#[cfg(feature = "postgres")]
mod postgres;
mod question;
mod rebuild;
mod replays;
mod retain;
mod rows;
#[cfg(any(test, feature = "postgres"))]
mod sharing;
mod source;
mod sqlite;
mod status;
mod stored;

pub use batch::{Batch, BatchCells, CellAddress};
pub use bounds::Bounds;
pub use builder::BatchBuilder;
pub use catalogue::{AboutSource, EXAMPLES_MAX, StoredMetric};
pub use client_secret::ClientSecrets;
pub use dimensions::{
    CellKey, DateClock, Dimension, DimensionSet, STANDARD_DIMENSIONS, USER_DIMENSIONS, original_os_version,
};
pub use door::{AggregateReads, AggregateStore, Committed, SeenIds};
pub use epochs::{Days, Epochs, Piece};
pub use error::AggregateError;
pub use fold_version::FoldVersion;
pub use layer::{HeldSize, Kept, LayerStatus, LayeredAggregates, Persisted};
pub use leases::{Holder, Lease, Leases, SHARDS, shard_of, standing_holder};
#[cfg(feature = "postgres")]
pub use postgres::PostgresAggregates;
#[cfg(feature = "postgres")]
pub use postgres_connections::{PostgresSettings, SeenServer, ServerIdentity};
pub use question::{
    CellQuery, Filter, FilterOptions, LIST_SEPARATOR, Listed, Series, SeriesRow, UserDay, UserQuery, ValueOf,
    VersionDate, Wanted,
};
pub use rebuild::{Flip, Flipped, Rebuild, RebuildWish, Rebuilds};
pub use retain::{Below, BelowOfSource, DayBytes, DeletePlace, Deleted, RetainAggregates};
pub use rows::{ErroredRow, FoldedChunk, RetriedChunk, SeenRow};
pub use source::Source;
pub use sqlite::SqliteAggregates;
pub use status::{Counters, SourceCounts, SourcePings, Status};
