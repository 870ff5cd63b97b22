//! Commands that change a data directory: done by the process that runs on it, or here under its lock.

use serde_json::{Value, json};
use service::clock::SystemClock;
use service::control::{ControlError, ask};

use crate::cli::Data;
use crate::pipeline::{Core, Request, perform};

/// Has a request done, and shows its progress. A running process refuses it if a setting was given that it has otherwise:
/// its own are what counts.
pub(crate) async fn change(
    data: &Data,
    request: Request,
    show: impl Fn(Value) + Send + Sync,
) -> anyhow::Result<Value> {
    let wish = json!({"request": &request, "given": data.given_texts()});
    match ask(&data.data_dir, &wish).await {
        Ok(answers) => Ok(answers.result(show).await?),
        Err(ControlError::NobodyListens(_)) => {
            is_there(data)?;
            let core = Core::start(data, SystemClock::shared(), None).await?;
            let done = tokio::select! {
                done = perform(&core, request, &show) => done,
                failure = core.failed() => Err(failure),
            };
            core.stop().await?;
            done
        }
        Err(error) => Err(error.into()),
    }
}

/// Refuses to make a data directory for a change that finds nothing in a new one: it was misnamed, or everything is shared.
fn is_there(data: &Data) -> anyhow::Result<()> {
    let path = data.data_dir.display();
    let shared = match (&data.places.store, &data.places.index, &data.places.aggregates) {
        (None, None, None) => String::new(),
        _ => "; without one, a shared store is reached with --store and --index, shared aggregates with --aggregates as well"
            .to_owned(),
    };
    anyhow::ensure!(
        data.data_dir.is_dir(),
        "{path} is no data directory: name it with --data-dir (`highwater serve` and `highwater import` make one){shared}"
    );
    Ok(())
}
