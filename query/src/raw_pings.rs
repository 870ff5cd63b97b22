//! The door to raw pings: what an answer asks of the process that can read them.

use std::fmt;
use std::sync::Arc;

use aggregate_store::{Filter, Source};
use async_trait::async_trait;

/// Which pings are asked for, and how much of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PingsAsked {
    /// The source under which they are counted, or would be.
    pub source: Source,
    /// What must hold of their dimensions.
    pub filters: Vec<Filter>,
    /// Only those whose clients are of this sample, from 0 to 99.
    pub sample_id: Option<u8>,
    /// At most so many.
    pub limit: usize,
    /// At most so many bytes of lines; a ping that does not fit any more is the first that is left out.
    pub bytes: usize,
    /// What of each is shown: names of members, or JSON Pointers, that begin with `/`. All of it where none are named.
    pub fields: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PingsFound {
    /// A JSON object a line.
    pub lines: Vec<u8>,
    /// Whether there may be more.
    pub is_cut: bool,
    /// Chunks that could not be read.
    pub unread: u64,
}

/// Pings could not be looked for.
#[derive(Debug, thiserror::Error)]
pub enum FindPingsError {
    /// Another question looks for some.
    #[error("another question looks for raw pings")]
    Busy,
    /// For this reason.
    #[error("{0}")]
    Failed(String),
}

impl FindPingsError {
    /// Because of this.
    pub fn new(cause: impl fmt::Display) -> Self {
        Self::Failed(cause.to_string())
    }
}

/// Finds pings.
#[async_trait]
pub trait FindPings: fmt::Debug + Send + Sync + 'static {
    /// Those that are asked for, day by day.
    ///
    /// # Errors
    /// When they could not be looked for.
    async fn find(&self, asked: PingsAsked) -> Result<PingsFound, FindPingsError>;
}

/// Whether raw pings are answered.
#[derive(Clone, Debug)]
pub enum PingsDoor {
    /// They are.
    Open {
        /// Who finds them.
        finder: Arc<dyn FindPings>,
        /// Whether a question is answered, too, that a proxy passed on.
        forwarded: bool,
    },
    /// They are not, for this reason: a sentence that says what to do.
    Closed(&'static str),
}
