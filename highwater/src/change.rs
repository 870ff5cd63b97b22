//! Commands that change a data directory: done by the process that runs on it, or here under its lock.

use disk::RealDisk;
use serde_json::{Value, json};
use service::clock::SystemClock;
use service::control::{ControlError, ask};
use service::directory::{DataDirectory, DirectoryError};

use crate::data::Data;
use crate::declarations::Taken;
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
            check_directory(data, &request)?;
            let taken = Taken::by_files(&data.fold)?.keeping_on(&data.fold, &data.data_dir);
            let core = Core::start(data, &taken, SystemClock::shared(), None).await?;
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

/// Refuses to make a data directory, unless pings are brought into it, or a store that was named with it.
fn check_directory(data: &Data, request: &Request) -> anyhow::Result<()> {
    let may_be_made = match request {
        Request::Import { .. } => true,
        Request::Reconcile => data.given.contains("data_dir"),
        _ => false,
    };
    if may_be_made {
        return Ok(());
    }
    match DataDirectory::read(RealDisk::shared().as_ref(), &data.data_dir) {
        Err(DirectoryError::Absent(_)) => {}
        other => return other.map(|_| ()).map_err(Into::into),
    }
    let shared = match (&data.places.store, &data.places.index, &data.places.aggregates) {
        (None, None, None) => "",
        _ => {
            "; without one, a shared store is reached with --store and --index, shared aggregates with --aggregates as well"
        }
    };
    anyhow::bail!(
        "{} is no data directory: name it with --data-dir (`highwater serve` and `highwater import` make one){shared}",
        data.data_dir.display()
    );
}
