//! One environment of the function: opens store and index once, answers invocations with them.

use std::sync::Arc;
use std::time::Duration;

use index_schema::{PostgresIndex, PostgresSettings};
use lambda_indexer::event::Invocation;
use lambda_indexer::{Answer, Handler, Indexer};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::value::RawValue;
use service::clock::{Clock, SystemClock};
use service::task;
use store::S3Store;
use tokio::sync::OnceCell;

use crate::settings::Settings;

/// How long an environment tries to get ready before its first invocation: Lambda ends one that takes ten seconds.
const START: Duration = Duration::from_secs(8);

/// How long an invocation waits for a connection: its messages come again, and cost nothing until then.
const CONNECT: Duration = Duration::from_secs(5);

/// An environment, ready or not yet.
pub(crate) struct Function {
    settings: Settings,
    handler: OnceCell<Handler>,
    clock: Arc<dyn Clock>,
}

impl Function {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            handler: OnceCell::new(),
            clock: SystemClock::shared(),
        }
    }

    /// Gets ready, if that can be done now: what fails is tried again by the first invocation.
    pub(crate) async fn start(&self) {
        let failed = tokio::select! {
            biased;
            ready = self.handler() => ready.err().map(|error| format!("{error:#}")),
            () = task::sleep(START) => Some("it takes too long".to_owned()),
        };
        if let Some(error) = failed {
            tracing::warn!(error, "not ready yet: tried again with the first invocation");
        }
    }

    /// The handler, made at the first call that could make it.
    ///
    /// # Errors
    /// When the index cannot be opened now: all of an invocation comes again then.
    pub(crate) async fn handler(&self) -> anyhow::Result<&Handler> {
        self.handler.get_or_try_init(|| self.open()).await
    }

    async fn open(&self) -> anyhow::Result<Handler> {
        let store = S3Store::open(self.settings.store.clone()).await?;
        let index = PostgresIndex::open(PostgresSettings {
            pool_size: self.settings.index_connections,
            connect_timeout: CONNECT,
            application_name: "highwater lambda-indexer".to_owned(),
            ..PostgresSettings::new(self.settings.index.clone())
        })
        .await?;
        let indexer = Indexer::new(Arc::new(store), index);
        let chunk_prefix = self.settings.chunk_prefix.clone();
        Ok(Handler::new(
            Arc::new(indexer),
            self.settings.place(),
            chunk_prefix,
        ))
    }

    /// Answers one invocation.
    ///
    /// # Errors
    /// What Lambda shows, and counts as a failure of the whole invocation.
    pub(crate) async fn answer(&self, event: LambdaEvent<Box<RawValue>>) -> Result<Answer, Diagnostic> {
        let deadline = Duration::from_millis(event.context.deadline);
        let now = Duration::from_micros(self.clock.now_micros().unsigned_abs());
        let failed = |kind: &str, error: String| {
            tracing::error!(kind, error, "an invocation failed: it comes again");
            Diagnostic {
                error_type: kind.to_owned(),
                error_message: error,
            }
        };
        let invocation = Invocation::read(event.payload.get().as_bytes())
            .map_err(|error| failed("Event", error.to_string()))?;
        let handler = self
            .handler()
            .await
            .map_err(|error| failed("NotReady", format!("{error:#}")))?;
        let answered = handler.answer(invocation, deadline.saturating_sub(now)).await;
        answered.map_err(|error| failed("Indexing", error.to_string()))
    }
}
