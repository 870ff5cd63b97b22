//! The Lambda: takes notifications of created objects, one invocation after the other, and answers for them.
//!
//! What lives here: the process. What it does with an invocation is [`lambda_indexer::Handler`].

mod function;
mod settings;

use std::process::ExitCode;

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::value::RawValue;
use service::telemetry::{self, LogFormat};

use crate::function::Function;
use crate::settings::Settings;

// One thread: an environment has one invocation at a time, which waits for S3 and the database.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let filter = std::env::var("HIGHWATER_LOG_FILTER").unwrap_or_else(|_| "info".to_owned());
    if let Err(error) = telemetry::log(LogFormat::Json, &filter) {
        return refuse(&format!("HIGHWATER_LOG_FILTER: {error}"));
    }
    let settings = match Settings::read(|name| std::env::var(name).ok()) {
        Ok(settings) => settings,
        Err(error) => return refuse(&error.to_string()),
    };
    let function = Function::new(settings);
    function.start().await;
    let answer = |event: LambdaEvent<Box<RawValue>>| function.answer(event);
    match lambda_runtime::run(service_fn(answer)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&error.to_string()),
    }
}

/// Says why the function cannot run. Lambda shows the log line.
fn refuse(error: &str) -> ExitCode {
    tracing::error!(error, "the function does not start");
    // Where log lines go nowhere, for the filter cannot be read.
    eprintln!("{error}");
    ExitCode::FAILURE
}
