//! Reads one Glean ping: told what a submission says of it, and what definitions add, it tells a sink what counts.

use ping::SubmissionDate;

use super::custom_layouts::CustomLayouts;
use super::dimensions::GleanDimension;
use super::error::GleanError;
use super::events::{count_events, read_events};
use super::info::Info;
use super::metrics::read_metrics;
use super::source_tags::tell_tags;
use super::work::{Scratch, Work, members};
use crate::json::{Cursor, JsonError, Once};
use crate::values::Values;

/// Asks for an erasure: it is no use of the application, and is never read here.
pub const DELETION_REQUEST: &str = "deletion-request";

/// What is known of a ping beside its body.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The namespace of its URI: the application.
    pub namespace: &'a str,
    /// The document type of its URI: the ping's name.
    pub document_type: &'a str,
    /// The UTC day on which it was received.
    pub date: SubmissionDate,
    /// The header `X-Source-Tags`, if it came with one.
    pub source_tags: Option<&'a str>,
    /// Whether the namespace is declared as Glean's. Else only a body with `ping_info` is a Glean ping.
    pub is_declared: bool,
}

/// Reads Glean pings, one after the other, in the same room.
#[derive(Debug, Default)]
pub struct GleanReader(Scratch);

impl GleanReader {
    /// Reads a ping. What the sink is told counts only if this succeeds.
    ///
    /// # Errors
    /// [`GleanError`]: nothing of the ping counts.
    pub fn read<S: Values>(
        &mut self,
        body: &[u8],
        received: &Received<'_>,
        custom: &CustomLayouts,
        sink: &mut S,
    ) -> Result<(), GleanError> {
        if received.document_type == DELETION_REQUEST {
            return Err(GleanError::DeletionRequest);
        }
        self.0.clear();
        let mut work = Work {
            sink,
            custom,
            received: received.date,
            scratch: &mut self.0,
            is_doubled: false,
        };
        let mut json = Cursor::new(body);
        let mut info = Info::default();
        let is_object = read_sections(&mut work, &mut info, &mut json)?;
        json.end()?;
        if !is_object {
            return Err(GleanError::NotAnObject);
        }
        if !info.has_ping_info && !received.is_declared {
            return Err(GleanError::NotGlean);
        }
        if work.is_doubled {
            return Err(GleanError::DuplicateKey);
        }
        work.sink
            .dimension(GleanDimension::Application.place(), received.namespace);
        info.tell(&mut work);
        tell_tags(received.source_tags.unwrap_or_default(), work.sink);
        count_events(&mut work);
        let Scratch { arena, staged, .. } = &mut *work.scratch;
        staged.tell(arena, work.sink);
        Ok(())
    }
}

/// Reads the sections of a body, each at most once. False when the body is no object.
fn read_sections<S: Values>(
    work: &mut Work<'_, S>,
    info: &mut Info,
    json: &mut Cursor<'_>,
) -> Result<bool, JsonError> {
    let mut once = Once::default();
    let other = members(json, |key, json| {
        let field = match key.text {
            "ping_info" => 0,
            "client_info" => 1,
            "metrics" => 2,
            "events" => 3,
            _ => return json.skip(),
        };
        work.is_doubled |= once.again(field);
        match field {
            0 => info.read_ping(work, json),
            1 => info.read_client(work, json),
            2 => read_metrics(work, json),
            _ => read_events(work, json),
        }
    })?;
    Ok(other.is_none())
}
