//! Threads that each own a connection and do one job after the other. Not here: what the jobs are.

use std::io;
use std::sync::{Arc, Weak};

use service::task::{self, Thread};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::AggregateError;

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// Threads of one kind behind one bounded queue. Dropping it waits for the jobs that were taken in, and for the ends
/// of the threads.
#[derive(Debug)]
pub(super) struct Workers<S> {
    jobs: Option<mpsc::Sender<Job<S>>>,
    threads: Vec<Thread<()>>,
}

/// Whoever asked a question.
#[derive(Clone, Debug)]
pub(super) struct Asker(Weak<()>);

impl Asker {
    /// Whether nobody waits for the answer any more.
    pub(super) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl<S: Send + 'static> Workers<S> {
    /// Starts a thread for each state.
    pub(super) fn start(name: &'static str, states: Vec<S>, waiting: usize) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job<S>>(waiting);
        let queue = Arc::new(Mutex::new(queue));
        let threads = states.into_iter().map(|mut state| {
            let queue = Arc::clone(&queue);
            task::thread(name, async move {
                while let Some(job) = next(&queue).await {
                    job(&mut state);
                }
            })
        });
        Ok(Self {
            threads: threads.collect::<io::Result<_>>()?,
            jobs: Some(jobs),
        })
    }

    /// Has one of the threads do `work`. Once it is taken in it is done, even if nobody waits for the answer any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut S) -> Result<T, AggregateError> + Send + 'static,
    ) -> Result<T, AggregateError> {
        let (answer, answered) = oneshot::channel();
        let job: Job<S> = Box::new(move |state| {
            // Whoever asked may be gone.
            let _ = answer.send(work(state));
        });
        let jobs = self.jobs.as_ref().ok_or(AggregateError::Ended)?;
        jobs.send(job).await.map_err(|_| AggregateError::Ended)?;
        let outcome = answered.await.map_err(|_| AggregateError::Ended)?;
        outcome.map_err(|error| error.while_doing(doing))
    }

    /// Has one of the threads answer a question. When nobody waits for the answer any more it is not begun; what is being
    /// done learns so from the [`Asker`].
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut S, Asker) -> Result<T, AggregateError> + Send + 'static,
    ) -> Result<T, AggregateError> {
        let waiting = Arc::new(());
        let asker = Asker(Arc::downgrade(&waiting));
        let job = move |state: &mut S| match asker.is_gone() {
            true => Err(AggregateError::Ended),
            false => work(state, asker),
        };
        let answer = self.run(doing, job).await;
        drop(waiting);
        answer
    }
}

impl<S> Drop for Workers<S> {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // The callers of a thread that panicked were told that it ended.
            thread.join();
        }
    }
}

async fn next<S>(queue: &Mutex<mpsc::Receiver<Job<S>>>) -> Option<Job<S>> {
    queue.lock().await.recv().await
}
