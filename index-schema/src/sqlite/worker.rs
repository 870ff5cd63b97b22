//! A connection on a thread of its own, which takes closures by a bounded channel and runs them one after another.

use rusqlite::Connection;
use service::task;
use tokio::sync::{mpsc, oneshot};

use crate::IndexError;

/// Calls that may wait for one connection; more wait outside, in their tasks.
const WAITING_MAX: usize = 64;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Sends work to a thread that owns a connection. The thread ends, and closes the connection, when this is dropped.
#[derive(Debug)]
pub(super) struct Worker {
    jobs: mpsc::Sender<Job>,
}

impl Worker {
    /// Starts the thread.
    pub(super) fn start(name: &'static str, mut connection: Connection) -> Result<Self, IndexError> {
        let (jobs, mut waiting) = mpsc::channel::<Job>(WAITING_MAX);
        let body = async move {
            while let Some(job) = waiting.recv().await {
                job(&mut connection);
            }
        };
        task::thread(name, body).map_err(|error| IndexError::Database(format!("no thread: {error}")))?;
        Ok(Self { jobs })
    }

    /// Runs `work` on the connection and answers what it answers. Work that was sent is done even if the answer is no
    /// longer waited for.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, IndexError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody waits any more: the work was done all the same.
            let _ = answer.send(work(connection));
        });
        self.jobs.send(job).await.map_err(|_| IndexError::Closed)?;
        let result = answered.await.map_err(|_| IndexError::Closed)?;
        result.map_err(|error| IndexError::Database(error.to_string()))
    }
}
