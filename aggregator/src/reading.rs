//! A stored ping read by the reader of its source, whatever is done with it then.

use std::borrow::Cow;

use aggregate_store::LIST_SEPARATOR;
use chunk::RecordRef;
use readers::declared::Submitted;
use readers::glean::Received;

use crate::fold::{FoldSettings, Folder, PingError, Reading};
use crate::kinds::Sent;

/// The header in which Glean's SDK names the source of a ping, a list.
const SOURCE_TAGS: &str = "x-source-tags";

/// Reads a body, in place of the one that the folder read before. False when its type is one that may be counted and it is not.
pub(crate) fn read(
    folder: &mut Folder,
    settings: &FoldSettings,
    record: &RecordRef<'_>,
    body: &[u8],
    sent: &Sent,
) -> Result<bool, PingError> {
    let Some(submission) = &sent.submission else {
        return Ok(false);
    };
    match &sent.kind.reading {
        None => Ok(false),
        Some(Reading::Telemetry) => folder.read(body, record.submission_date).map(|()| true),
        Some(Reading::Glean) => {
            let tags = values_of(record, SOURCE_TAGS);
            let received = Received {
                namespace: &submission.namespace,
                document_type: submission.document_type.as_deref().unwrap_or_default(),
                date: record.submission_date,
                source_tags: tags.as_deref(),
                is_declared: settings.is_bare(submission),
            };
            folder.read_glean(body, &received)
        }
        Some(Reading::Declared(product)) => {
            let header = |name: &str| {
                let mut headers = record.headers();
                headers.find_map(|(header, value)| (header == name).then_some(value))
            };
            let submitted = Submitted {
                received: record.submission_date,
                header: &header,
                submission: Some(submission),
            };
            folder
                .read_declared(body, product, submitted, record.client_hash)
                .map(|()| true)
        }
    }
}

/// The values of a stored header, as one list.
fn values_of<'a>(record: &RecordRef<'a>, name: &str) -> Option<Cow<'a, str>> {
    let mut values = record
        .headers()
        .filter_map(|(header, value)| (header == name).then_some(value));
    let first = values.next()?;
    let mut list = Cow::Borrowed(first);
    for value in values {
        let list = list.to_mut();
        list.push_str(LIST_SEPARATOR);
        list.push_str(value);
    }
    Some(list)
}
