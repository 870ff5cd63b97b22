//! Queues in SQS.

use std::time::Duration;

use async_trait::async_trait;
use aws_connections::{AwsSettings, words};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
    QueueAttributeName,
};

use super::{Queue, QueueError, QueueState, Received};

/// Messages of one request: SQS takes no more.
const BATCH: usize = 10;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one try of a request may take: longer than SQS waits for a message.
const TRY_TIMEOUT: Duration = Duration::from_secs(30);

/// Which queue, and who asks it. What is not told here comes from the SDK's own chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqsSettings {
    /// The queue's URL.
    pub url: String,
    /// Another endpoint than AWS's.
    pub endpoint_url: Option<String>,
    /// The queue's region.
    pub region: Option<String>,
}

/// A queue in SQS.
#[derive(Debug)]
pub struct SqsQueue {
    client: Client,
    url: String,
}

impl SqsQueue {
    /// Opens a queue. It is not asked anything before the first call.
    ///
    /// # Errors
    /// When no region is known.
    pub async fn open(settings: SqsSettings) -> Result<Self, QueueError> {
        let SqsSettings {
            url,
            endpoint_url,
            region,
        } = settings;
        let told = AwsSettings {
            endpoint_url,
            region,
            credentials: None,
        };
        let Some(shared) = told.load().await else {
            return Err(QueueError {
                action: "finding the queue",
                cause: "nothing says in which region it is: set the region, or AWS_REGION".to_owned(),
            });
        };
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(TRY_TIMEOUT);
        let config = aws_sdk_sqs::config::Builder::from(&shared).timeout_config(timeouts.build());
        Ok(Self {
            client: Client::from_conf(config.build()),
            url,
        })
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn state(&self) -> Result<QueueState, QueueError> {
        let action = "asking the queue how it is";
        let asked = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(QueueAttributeName::VisibilityTimeout)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible);
        let answer = asked.send().await.map_err(|error| failed(action, &error))?;
        let number = |name: &QueueAttributeName| -> Result<u64, QueueError> {
            let text = answer.attributes().and_then(|attributes| attributes.get(name));
            text.and_then(|text| text.parse().ok()).ok_or_else(|| QueueError {
                action,
                cause: format!("the answer has no {name}"),
            })
        };
        Ok(QueueState {
            hidden: Duration::from_secs(number(&QueueAttributeName::VisibilityTimeout)?),
            hidden_messages: number(&QueueAttributeName::ApproximateNumberOfMessagesNotVisible)?,
        })
    }

    async fn receive(&self, wait: Duration, hidden: Option<Duration>) -> Result<Vec<Received>, QueueError> {
        let asked = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(whole(BATCH))
            .wait_time_seconds(whole(wait.as_secs()))
            .set_visibility_timeout(hidden.map(|hidden| whole(hidden.as_secs())));
        let answer = asked.send().await;
        let answer = answer.map_err(|error| failed("receiving messages", &error))?;
        // SQS leaves none of the three out.
        let read = |message: Message| {
            Some(Received {
                id: message.message_id?,
                handle: message.receipt_handle?,
                body: message.body?,
            })
        };
        Ok(answer
            .messages
            .unwrap_or_default()
            .into_iter()
            .filter_map(read)
            .collect())
    }

    async fn delete(&self, messages: &[Received]) -> Vec<Result<(), QueueError>> {
        let mut answers = Vec::with_capacity(messages.len());
        for some in messages.chunks(BATCH) {
            let entries = some.iter().enumerate().map(|(place, message)| {
                let entry = DeleteMessageBatchRequestEntry::builder().id(place.to_string());
                let entry = entry.receipt_handle(&message.handle).build();
                entry.expect("id and handle are all it needs")
            });
            let asked = self.client.delete_message_batch().queue_url(&self.url);
            let answer = asked.set_entries(Some(entries.collect())).send().await;
            let answer = answer.map(|answer| answer.failed).map_err(|error| words(&error));
            answers.extend(one_by_one("deleting the message", some.len(), &answer));
        }
        answers
    }

    async fn show(&self, messages: &[Received]) -> Result<(), QueueError> {
        for some in messages.chunks(BATCH) {
            let entries = some.iter().enumerate().map(|(place, message)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(place.to_string());
                let entry = entry
                    .receipt_handle(&message.handle)
                    .visibility_timeout(0)
                    .build();
                entry.expect("id and handle are all it needs")
            });
            let asked = self.client.change_message_visibility_batch().queue_url(&self.url);
            let answer = asked.set_entries(Some(entries.collect())).send().await;
            let answer = answer.map(|answer| answer.failed).map_err(|error| words(&error));
            one_by_one("showing a message again", some.len(), &answer).collect::<Result<(), _>>()?;
        }
        Ok(())
    }
}

/// What became of each message of a request, which names them by their places in it: its answer names those that failed, or
/// all of it failed.
fn one_by_one(
    action: &'static str,
    messages: usize,
    answer: &Result<Vec<BatchResultErrorEntry>, String>,
) -> impl Iterator<Item = Result<(), QueueError>> {
    (0..messages).map(move |place| {
        let cause = match answer {
            Err(cause) => cause.clone(),
            Ok(failures) => match failures.iter().find(|failure| failure.id() == place.to_string()) {
                Some(failure) => format!("{} {}", failure.code(), failure.message().unwrap_or_default()),
                None => return Ok(()),
            },
        };
        Err(QueueError { action, cause })
    })
}

fn failed(action: &'static str, error: &(dyn std::error::Error + 'static)) -> QueueError {
    QueueError {
        action,
        cause: words(error),
    }
}

/// A small number, as SQS wants it.
fn whole(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}
