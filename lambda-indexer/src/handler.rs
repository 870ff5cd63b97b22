//! Does what an invocation of the Lambda or messages of a queue ask for, and answers for it: message by message, or as a
//! whole.
//!
//! An object that is gone, no readable chunk, below the floor or no chunk by its name is done with, with a log line. A
//! store or a database that fails is the failure of that object, and of its message; the others are done.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use service::task;

use crate::event::{Announced, CreatedObject, Invocation, QueueMessage};
use crate::{Answer, AnswerError, Indexer, Outcome, StoreLocation};

/// Objects that are looked at together: the time of one is spent in waiting for S3.
const AT_ONCE: usize = 8;

/// So long before the end of its time an invocation answers, with what is not done as failed: an invocation that is cut
/// off would have all of it come again.
const MARGIN: Duration = Duration::from_secs(1);

/// Answers invocations. It keeps nothing between them.
#[derive(Debug)]
pub struct Handler {
    indexer: Arc<Indexer>,
    place: StoreLocation,
    chunk_prefix: String,
}

/// What became of one object; an error says why it must come again.
type Ended = Result<Outcome, String>;

impl Handler {
    /// A handler for objects at this place, whose chunk keys begin with this prefix (which comparisons need).
    pub fn new(indexer: Arc<Indexer>, place: StoreLocation, chunk_prefix: String) -> Self {
        Self {
            indexer,
            place,
            chunk_prefix,
        }
    }

    /// Does what is asked for, within the time that is left.
    ///
    /// # Errors
    /// When all of it must come again; of a queue only some messages must: [`Answer::Messages`]. Again is always harmless.
    pub async fn answer(&self, invocation: Invocation, left: Duration) -> Result<Answer, AnswerError> {
        match invocation {
            Invocation::Reconcile => {
                let found = within(left, self.indexer.reconcile(&self.chunk_prefix)).await;
                Ok(Answer::Reconciled(found.ok_or(AnswerError::NoTime)??))
            }
            Invocation::Objects(announced) => {
                let ended = self.look_at([&announced], left).await;
                Ok(Answer::Objects(as_a_whole(&announced, &ended)?))
            }
            Invocation::Messages(messages) => {
                let ended = self.take(&messages, left).await;
                let again = messages
                    .into_iter()
                    .zip(ended)
                    .filter(|(_, ended)| ended.is_err());
                Ok(Answer::Messages {
                    again: again.map(|(message, _)| message.id).collect(),
                })
            }
        }
    }

    /// Looks at what messages of a queue announce, within the time that is left. Answers for each, in their order: what
    /// became of its objects, or why it must come again.
    pub async fn take(&self, messages: &[QueueMessage], left: Duration) -> Vec<Result<Outcome, AnswerError>> {
        let announced = || messages.iter().map(|message| &message.announced);
        let ended = self.look_at(announced(), left).await;
        announced()
            .map(|announced| as_a_whole(announced, &ended))
            .collect()
    }

    /// Looks at each object once, some together, and says in the log what became of each.
    async fn look_at<'a>(
        &self,
        notifications: impl IntoIterator<Item = &'a Announced>,
        left: Duration,
    ) -> HashMap<CreatedObject, Ended> {
        let mut objects: Vec<&CreatedObject> = Vec::new();
        for announced in notifications {
            for ignored in &announced.ignored {
                tracing::info!(%ignored, "a notification was passed over");
            }
            for error in &announced.unreadable {
                tracing::error!(%error, "a notification could not be read");
            }
            objects.extend(&announced.created);
        }
        let mut ended = HashMap::with_capacity(objects.len());
        let looked_at = async {
            for some in objects.chunks(AT_ONCE) {
                let started: Vec<_> = some.iter().map(|object| self.start(object)).collect();
                for (object, task) in some.iter().zip(started) {
                    let outcome = task.await.unwrap_or_else(|error| Err(error.to_string()));
                    log(object, &outcome);
                    ended.insert((*object).clone(), outcome);
                }
            }
        };
        if within(left, looked_at).await.is_none() {
            tracing::error!(
                objects = objects.len(),
                done = ended.len(),
                "no time left: what is not done must come again; give the function more time or fewer messages, a queue's messages a longer visibility time-out"
            );
        }
        ended
    }

    /// Begins to look at an object, whatever else is waited for.
    fn start(&self, object: &CreatedObject) -> tokio::task::JoinHandle<Ended> {
        let (indexer, key) = (self.indexer.clone(), self.place.key_of(object).map(str::to_owned));
        task::spawn("index", async move {
            let Some(key) = key else {
                return Ok(Outcome {
                    foreign: 1,
                    ..Outcome::default()
                });
            };
            let outcome = indexer.object_created(&[key]).await;
            outcome.map_err(|error| error.to_string())
        })
    }
}

/// What became of a notification, given what became of each object.
fn as_a_whole(announced: &Announced, ended: &HashMap<CreatedObject, Ended>) -> Result<Outcome, AnswerError> {
    let mut outcome = Outcome::default();
    let mut failed: Vec<String> = announced.unreadable.iter().map(ToString::to_string).collect();
    for object in &announced.created {
        match ended.get(object) {
            Some(Ok(some)) => outcome += *some,
            Some(Err(why)) => failed.push(why.clone()),
            None => failed.push("there was no time left for it".to_owned()),
        }
    }
    match failed.first() {
        None => Ok(outcome),
        Some(first) => Err(AnswerError::Objects {
            failed: failed.len(),
            of: announced.unreadable.len() + announced.created.len(),
            first: first.clone(),
        }),
    }
}

/// One line an object, to be read alone.
fn log(object: &CreatedObject, ended: &Ended) {
    let CreatedObject {
        s3_bucket,
        key,
        version,
    } = object;
    let version = version.as_deref();
    match ended {
        Ok(outcome) => {
            let named = outcome.counts().into_iter().find(|(_, count)| *count > 0);
            let outcome = named.map_or("none", |(name, _)| name);
            tracing::info!(outcome, s3_bucket, key, version, "an object was looked at");
        }
        Err(error) => {
            tracing::error!(
                outcome = "failed",
                s3_bucket,
                key,
                version,
                error,
                "an object could not be indexed now"
            );
        }
    }
}

/// What the work gives, or nothing when the time is almost over. Work for which no time is left is not begun.
async fn within<T>(left: Duration, work: impl Future<Output = T>) -> Option<T> {
    let time = left.checked_sub(MARGIN).filter(|time| !time.is_zero())?;
    tokio::select! {
        biased;
        done = work => Some(done),
        () = task::sleep(time) => None,
    }
}
