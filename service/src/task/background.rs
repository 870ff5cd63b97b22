//! Work that keeps a processor busy and may wait: on threads of its own, of a lower priority, so that whoever is to be
//! answered goes first where processors are few.

use std::sync::OnceLock;

use rustix::process::{getpriority_process, setpriority_process};
use tokio::runtime::{Builder, Runtime};

use super::{blocking, ended, simulated};

/// So much nicer are the threads than the process, as `nice` counts: they get a third of what another thread gets that
/// wants the same processor.
const NICER: i32 = 5;

/// Runs work that blocks and may wait, as [`blocking`] does, on a thread of a lower priority. A panic in the work goes on
/// in the caller.
pub async fn background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    if simulated::current().is_none()
        && let Some(threads) = threads()
    {
        return ended(threads.spawn_blocking(work).await).await;
    }
    blocking(work).await
}

/// A runtime of which only the pool for work that blocks is used; none when the operating system gives none.
fn threads() -> Option<&'static Runtime> {
    static THREADS: OnceLock<Option<Runtime>> = OnceLock::new();
    let made = THREADS.get_or_init(|| {
        Builder::new_current_thread()
            .thread_name("background")
            .on_thread_start(be_nicer)
            .build()
            .ok()
    });
    made.as_ref()
}

/// Lowers the priority of the calling thread. On Linux each has its own.
fn be_nicer() {
    if cfg!(target_os = "linux")
        && let Ok(priority) = getpriority_process(None)
    {
        // Without it all is well, only slower.
        let _ = setpriority_process(None, priority + NICER);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_work_in_the_background_is_nicer() {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let priority = || getpriority_process(None).expect("told");
        let own = priority();
        let (behind, beside) =
            runtime.block_on(async { (background(priority).await, blocking(priority).await) });
        assert_eq!((behind, beside, priority()), ((own + NICER).min(19), own, own));
    }

    #[test]
    fn a_panic_in_the_background_goes_on_in_the_caller() {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let caught = std::panic::catch_unwind(|| runtime.block_on(background(|| panic!("as wished"))));
        let panic = caught.expect_err("it panicked");
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"as wished"));
    }
}
