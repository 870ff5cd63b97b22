//! `highwater index`: the indexer as a process of its own, what it and the Lambda left, and questions to the index.

mod follow;
mod listing;
mod parts;
mod query;
mod redrive;

use std::process::ExitCode;

use crate::cli::IndexCommand;

/// Runs the command.
pub(crate) async fn run(command: &IndexCommand) -> anyhow::Result<ExitCode> {
    match command {
        IndexCommand::Run(run) => follow::run(run).await?,
        IndexCommand::Redrive(redrive) => return redrive::run(redrive).await,
        IndexCommand::Query(query) => query::run(query).await?,
    }
    Ok(ExitCode::SUCCESS)
}
