//! Named tasks and threads, sleep, and work that blocks: the only place where they are started.

use std::future::Future;
use std::thread;
use std::time::Duration;

use tokio::task::JoinHandle;
use tracing::Instrument;

/// Starts a task whose log lines bear its name.
#[expect(clippy::disallowed_methods, reason = "this is the replacement it names")]
pub fn spawn<F>(name: &'static str, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future.instrument(tracing::info_span!("task", name)))
}

/// Starts a named thread, for a loop that blocks as long as the process lives.
///
/// # Errors
/// When the operating system gives no thread.
pub fn thread<T: Send + 'static>(
    name: &'static str,
    body: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<thread::JoinHandle<T>> {
    thread::Builder::new().name(name.to_owned()).spawn(body)
}

/// Runs work that blocks on the runtime's pool for it. A panic in the work goes on in the caller.
#[expect(clippy::disallowed_methods, reason = "this is the replacement it names")]
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
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
    tokio::time::sleep(duration).await;
}
