//! A ping, section by section.

use super::slow::Slow;
use super::totals::Totals;
use super::tree::Tree;
use crate::glean::custom_layouts::CustomLayouts;
use crate::glean::error::GleanError;
use crate::glean::reader::Received;
use crate::json::JsonError;

/// Reads a ping whose texts are valid JSON: other texts are an error here, and none for the reader.
///
/// # Errors
/// [`GleanError`]: nothing of the ping counts.
pub fn read(body: &[u8], received: &Received<'_>, custom: &CustomLayouts) -> Result<Totals, GleanError> {
    if received.document_type == "deletion-request" {
        return Err(GleanError::DeletionRequest);
    }
    let tree: Tree = serde_json::from_slice(body).map_err(|_| JsonError::NotJson)?;
    if tree.members().is_none() {
        return Err(GleanError::NotAnObject);
    }
    let ping_info = last(&tree, "ping_info");
    if !received.is_declared && ping_info.and_then(Tree::members).is_none() {
        return Err(GleanError::NotGlean);
    }
    let mut slow = Slow {
        totals: Totals::default(),
        custom,
        received: received.date,
        is_doubled: tree.has_twice(&["ping_info", "client_info", "metrics", "events"]),
        values: 0,
        bins: 0,
    };
    slow.client_and_dimensions(&tree, received);
    if let Some(metrics) = tree.get("metrics") {
        slow.metrics(metrics);
    }
    if let Some(events) = tree.get("events") {
        slow.events(events);
    }
    if slow.is_doubled {
        return Err(GleanError::DuplicateKey);
    }
    Ok(slow.totals)
}

/// The last member under a key: whether a body is Glean's is asked before whether it has the key twice.
fn last<'a>(tree: &'a Tree, key: &str) -> Option<&'a Tree> {
    let members = tree.members()?.iter().rev();
    members
        .clone()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value)
}
