//! The one binary. What lives here: choosing the command and starting the runtime. What does not: any work of its own.

mod change;
mod chunk_file;
mod cli;
mod client_secret;
mod compared;
mod data;
mod declarations;
mod demo;
mod dimensions;
mod dump;
mod ending;
mod help;
mod import;
mod index;
mod local;
mod mapping;
mod metrics;
mod open_files;
mod options;
mod pings;
mod pipeline;
mod places;
mod privacy;
mod product;
mod rebuild;
mod reconcile;
mod replay;
mod retention;
mod secret_note;
mod serve;
mod shared;
mod status;
mod text;

use std::process::ExitCode;

use service::{settings, telemetry};

use cli::{Cli, Command};

fn main() -> ExitCode {
    let loaded = match settings::load_process::<Cli>() {
        Ok(loaded) => loaded,
        Err(error) => error.exit(),
    };
    match run(loaded) {
        Ok(code) => code,
        Err(error) if text::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", text::words(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(loaded: settings::Loaded<Cli>) -> anyhow::Result<ExitCode> {
    let mut command = loaded.settings.command;
    command.note_given(loaded.given);
    let (format, filter) = command.logging();
    telemetry::log(format, &filter)?;
    telemetry::record_metrics();
    store::metrics::describe();
    edge::door::metrics::describe();
    edge::metrics::describe();
    lambda_indexer::metrics::describe();
    aggregate_store::metrics::describe();
    aggregator::metrics::describe();
    query::metrics::describe();
    ::retention::metrics::describe();
    metrics::describe();
    metrics::publish_build(
        env!("CARGO_PKG_VERSION"),
        option_env!("HIGHWATER_COMMIT").unwrap_or(""),
    );
    for warning in loaded.warnings {
        tracing::warn!("{warning}");
    }
    open_files::raise_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(perform(&command))?;
    // Readers of the database and the pool of blocking work end with the process.
    runtime.shutdown_background();
    Ok(code)
}

async fn perform(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(serve) => serve::run(serve).await?,
        Command::Edge(edge) => serve::run_edge(edge).await?,
        Command::Aggregate(aggregate) => shared::aggregate(aggregate).await?,
        Command::Query(query) => shared::query(query).await?,
        Command::Demo(demo) => return demo::run(demo).await,
        Command::Import(import) => import::run(import).await?,
        Command::Pings(pings) => pings::run(pings).await?,
        Command::Rebuild(rebuild) => rebuild::run(rebuild).await?,
        Command::ReplayErrors(data) => replay::run(data).await?,
        Command::Retain(retain) => retention::run(retain).await?,
        Command::ForgetChunk(chunk) => retention::forget(chunk).await?,
        Command::Index(index) => return index::run(index).await,
        Command::Reconcile(data) => reconcile::run(data).await?,
        Command::Dump(dump) => dump::run(&dump.data, dump.all).await?,
        Command::Status(status) => status::run(status).await?,
        Command::Chunk(chunk) => chunk_file::run(chunk)?,
        Command::Mapping(mapping) => return mapping::run(mapping),
        Command::Product(product) => product::run(product)?,
    }
    Ok(ExitCode::SUCCESS)
}
