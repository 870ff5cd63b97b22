//! Ending before the end: a signal while the process starts, and a second one while it stops. Both are as good as a
//! kill, after which nothing that was acknowledged is missing. What does not live here: the orderly end.

use service::shutdown::Signals;

/// What a shell answers for a process that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Starts, unless a signal comes first: then the process ends well, for it has taken nothing yet.
pub(crate) async fn unless_told<T>(
    signals: &mut Signals,
    start: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    tokio::select! {
        started = start => started,
        signal = signals.next() => {
            tracing::info!(signal, "ended while starting: nothing was taken yet");
            end(0)
        }
    }
}

/// Stops, unless a further signal comes first: then the process ends at once.
pub(crate) async fn unless_told_again(
    signals: &mut Signals,
    stop: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    tokio::select! {
        stopped = stop => stopped,
        signal = signals.next() => {
            tracing::warn!(signal, "ended at once, as told a second time: as after a kill, nothing that was acknowledged is missing");
            end(INTERRUPTED)
        }
    }
}

/// Ends without waiting for any thread.
fn end(code: i32) -> ! {
    std::process::exit(code)
}
