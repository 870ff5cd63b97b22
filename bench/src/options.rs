//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::row_name::RowName;

/// Prints what the pipeline's parts cost: CPU seconds as ratios to a yardstick in the same run on the same bytes
///
/// Compare ratios only: on a busy machine single pairs err by 40 %, seconds by more.
#[derive(Parser, Debug, Clone)]
#[command(name = "bench", version)]
pub(crate) struct Options {
    /// Generated pings for gather, stored bytes, fold and edge
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) pings: usize,
    /// 2,000 pings instead, and 10,000 of them for persist: minutes
    #[arg(long)]
    pub(crate) full: bool,
    /// Alternating pairs of each row; fewer than five are void
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) pairs: usize,
    /// Seed of the generated pings
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Only these rows
    #[arg(long, value_name = "ROWS", value_delimiter = ',', value_enum)]
    pub(crate) rows: Vec<RowName>,
    /// Append everything printed to docs/performance/DATE.txt
    #[arg(long)]
    pub(crate) record: bool,
    /// The program for the rows that need a process
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/highwater"))]
    pub(crate) highwater: PathBuf,
    /// The Python that has the peers installed
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../.cache/peers/bin/python"))]
    pub(crate) peers_python: PathBuf,
    /// What the program runs as a process of its own
    #[command(subcommand)]
    pub(crate) child: Option<Child>,
}

/// Work that is measured as a whole process.
#[derive(Subcommand, Debug, Clone)]
pub(crate) enum Child {
    /// Folds a chunk and prints what that gave
    #[command(hide = true)]
    FoldChunk {
        /// The chunk
        chunk: PathBuf,
    },
}

impl Options {
    /// How many generated pings the rows share.
    pub(crate) const fn shared_pings(&self) -> usize {
        if self.full { 2_000 } else { self.pings }
    }

    /// How many generated pings are folded and persisted as one batch.
    pub(crate) const fn persisted_pings(&self) -> usize {
        if self.full { 10_000 } else { 2_000 }
    }

    /// Whether a row was asked for.
    pub(crate) fn wants(&self, row: RowName) -> bool {
        self.rows.is_empty() || self.rows.contains(&row)
    }
}
