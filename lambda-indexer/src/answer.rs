//! What the Lambda answers, and why it may not.

use serde::{Serialize, Serializer};

use crate::event::EventError;
use crate::{IndexingError, Outcome, Reconciled};

/// The answer to an invocation that was done, or done in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Of a queue: the ids of the messages that must come again. All others are done.
    Messages {
        /// Message ids.
        again: Vec<String>,
    },
    /// What became of the objects.
    Objects(Outcome),
    /// What a comparison of store and index found.
    Reconciled(Reconciled),
}

/// An invocation that must be made again (S3, SNS and EventBridge do so by themselves), or a message that must come again.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The payload says nothing known.
    #[error(transparent)]
    Event(#[from] EventError),
    /// Some objects could not be indexed now. Those that could are.
    #[error("{failed} of {of} could not be indexed; the first: {first}")]
    Objects {
        /// How many.
        failed: usize,
        /// Of how many.
        of: usize,
        /// Why the first was not.
        first: String,
    },
    /// The comparison did not end. What it added stays.
    #[error("the comparison of store and index did not end: {0}")]
    Reconcile(#[from] IndexingError),
    /// The comparison did not end in time. What it added stays.
    #[error(
        "the comparison of store and index had no time to end: raise the function's timeout, or run `highwater reconcile`"
    )]
    NoTime,
}

impl Serialize for Answer {
    /// As Lambda wants it: of a queue `batchItemFailures`, else counts for a person who invokes it by hand.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = match self {
            Self::Messages { again } => {
                let items = again.iter().map(|id| serde_json::json!({ "itemIdentifier": id }));
                serde_json::json!({ "batchItemFailures": items.collect::<Vec<_>>() })
            }
            Self::Objects(outcome) => counts(outcome),
            Self::Reconciled(found) => {
                let Reconciled {
                    listed,
                    outcome,
                    unanswered,
                    cleared,
                } = found;
                let mut value = counts(outcome);
                for (name, count) in [
                    ("listed", listed),
                    ("unanswered", unanswered),
                    ("cleared", cleared),
                ] {
                    value[name] = (*count).into();
                }
                value
            }
        };
        value.serialize(serializer)
    }
}

fn counts(outcome: &Outcome) -> serde_json::Value {
    outcome.counts().into_iter().collect()
}
