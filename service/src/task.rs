//! Named tasks and threads, sleep, and work that blocks: the only place where they are started.
//!
//! In a simulation ([`simulated`]) all of them run in the calling thread, by simulated time.

mod background;
pub mod simulated;
mod thread;

use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};
use tracing::Instrument;

pub use background::background;
pub use thread::{Thread, thread};

/// Starts a task whose log lines bear its name.
#[expect(clippy::disallowed_methods, reason = "this is the replacement it names")]
pub fn spawn<F>(name: &'static str, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let future = future.instrument(tracing::info_span!("task", name));
    match simulated::current() {
        None => tokio::spawn(future),
        Some(simulation) => tokio::spawn(simulated::Lagging::new(simulation, future)),
    }
}

/// Runs work that blocks on the runtime's pool for it. A panic in the work goes on in the caller.
#[expect(clippy::disallowed_methods, reason = "this is the replacement it names")]
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    if let Some(simulation) = simulated::current() {
        return simulated::blocking(&*simulation, work).await;
    }
    ended(tokio::task::spawn_blocking(work).await).await
}

/// What work that blocked came to. A panic in it goes on here.
async fn ended<T>(joined: Result<T, JoinError>) -> T {
    match joined {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that is being torn down cancels, and then nobody waits for the answer.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Waits. Put it in a `select!` beside the shutdown.
#[expect(clippy::disallowed_methods, reason = "this is the replacement it names")]
pub async fn sleep(duration: Duration) {
    match simulated::current() {
        None => tokio::time::sleep(duration).await,
        Some(simulation) => simulation.sleep(duration).await,
    }
}

/// Sends from where blocking is allowed, waiting for room; whether anybody receives. In a simulation, where nothing else
/// runs meanwhile, there must be room.
pub fn send_blocking<T>(sender: &mpsc::Sender<T>, item: T) -> bool {
    match simulated::current() {
        None => sender.blocking_send(item).is_ok(),
        Some(_) => sender.try_send(item).is_ok(),
    }
}
