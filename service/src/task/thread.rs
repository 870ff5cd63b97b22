//! Named threads, each for one loop that blocks between its waits. Not here: which loops there are.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use tokio::task::JoinHandle;

use super::{blocking, simulated, spawn};

/// A loop on a thread of its own.
#[derive(Debug)]
pub struct Thread<T> {
    running: Running<T>,
}

#[derive(Debug)]
enum Running<T> {
    Thread(thread::JoinHandle<T>),
    Simulated(JoinHandle<T>),
}

/// Starts a named thread, for a loop that blocks as long as the process lives. It may wait for channels, but has no
/// runtime: no timers, no tasks of its own.
///
/// # Errors
/// When the operating system gives no thread.
pub fn thread<T: Send + 'static>(
    name: &'static str,
    body: impl Future<Output = T> + Send + 'static,
) -> io::Result<Thread<T>> {
    let running = match simulated::current() {
        Some(_) => Running::Simulated(spawn(name, body)),
        None => Running::Thread(thread::Builder::new().name(name.to_owned()).spawn(|| run(body))?),
    };
    Ok(Thread { running })
}

impl<T: Send + 'static> Thread<T> {
    /// Returns when the loop has ended, however it ended.
    pub async fn ended(self) {
        match self.running {
            // Whoever must hear of a panic has a guard in the loop.
            Running::Thread(thread) => drop(blocking(move || thread.join()).await),
            Running::Simulated(task) => drop(task.await),
        }
    }

    /// Blocks until the loop has ended. In a simulation, where that would be for ever, it returns at once.
    pub fn join(self) {
        if let Running::Thread(thread) = self.running {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on the calling thread, which sleeps while it waits.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(result) => return result,
            // A wake that came meanwhile makes this return at once.
            Poll::Pending => thread::park(),
        }
    }
}
