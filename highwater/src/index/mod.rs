//! `highwater index`: the indexer as a process of its own, and questions to the index.

mod follow;
mod listing;
mod query;

use crate::cli::IndexCommand;

/// Runs the command.
pub(crate) async fn run(command: &IndexCommand) -> anyhow::Result<()> {
    match command {
        IndexCommand::Run(run) => follow::run(run).await,
        IndexCommand::Query(query) => query::run(query).await,
    }
}
