//! Where pings of one shape come from.

use std::fmt;

use ping::Submission;

use super::fault::{Fault, Position, short};
use super::limits::NAME_BYTES_MAX;

/// A source: namespace and document type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The namespace of the submission's URI.
    pub namespace: String,
    /// The document type of the submission's URI.
    pub document_type: String,
}

/// What Highwater reads by itself.
const READ_ALREADY: [&str; 2] = ["telemetry/main", "telemetry/saved-session"];

impl Source {
    /// The source of a submission, if it names a document type.
    #[must_use]
    pub fn of(submission: &Submission) -> Option<Self> {
        Some(Self {
            namespace: submission.namespace.clone(),
            document_type: submission.document_type.clone()?,
        })
    }

    pub(super) fn parse(text: &str, at: Position) -> Result<Self, Fault> {
        let fault = |words: String| Err(Fault::new(at, words));
        let shown = short(text);
        if READ_ALREADY.contains(&text) {
            return fault(format!("`{shown}` is read by Highwater itself"));
        }
        let (namespace, document_type) = text.split_once('/').unwrap_or((text, ""));
        let uri = format!("/submit/{namespace}/x");
        let is_namespace = Submission::parse(&uri).is_ok_and(|read| read.namespace == namespace);
        if !is_namespace {
            return fault(format!(
                "`{shown}` is no source: a namespace has lower-case letters, digits and `-`, as in `inkpress/pages`"
            ));
        }
        let is_type = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if document_type.is_empty()
            || document_type.len() > NAME_BYTES_MAX
            || !document_type.bytes().all(is_type)
        {
            return fault(format!(
                "`{shown}` is no source: say namespace and document type, as in `inkpress/pages`"
            ));
        }
        if document_type == "all" {
            return fault("a document type `all` could not be told from `all` below `metrics`".to_owned());
        }
        Ok(Self {
            namespace: namespace.to_owned(),
            document_type: document_type.to_owned(),
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.document_type)
    }
}
