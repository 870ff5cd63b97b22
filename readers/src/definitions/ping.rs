//! The definition of one ping.

use std::collections::BTreeMap;

use super::limits::ITEMS_MAX;
use super::metric::{flag, tags, texts, words};
use crate::declaration::node::Node;
use crate::declaration::table::{Faults, Table, plain};

/// What a definition says of a ping.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "as the schema has them")]
pub struct PingDefinition {
    /// What it is sent for.
    pub description: String,
    /// Whether it names its client.
    pub include_client_id: bool,
    /// Whether it is sent when it says nothing.
    pub send_if_empty: bool,
    /// Whether it is sent at all.
    pub enabled: bool,
    /// Whether it has `client_info` and `ping_info`. Without them its namespace must be declared as Glean's.
    pub include_info_sections: bool,
    /// Whether its times have milliseconds.
    pub precise_timestamps: bool,
    /// Whether it is sent only while data may be collected.
    pub follows_collection_enabled: bool,
    /// Why it may be sent, with words for people.
    pub reasons: BTreeMap<String, String>,
    /// What who sends it must be able to.
    pub uploader_capabilities: Vec<String>,
    /// Pings with which it is sent.
    pub ping_schedule: Vec<String>,
    /// Words of the product under which it is found.
    pub tags: Vec<String>,
}

impl PingDefinition {
    /// Reads a definition. Keys of which nothing is known are passed: the schema grows.
    pub(super) fn read(name: &str, node: &Node, faults: &mut Faults) -> Option<Self> {
        let table = Table::of(node, &format!("`{name}`"), faults)?;
        let nothing = Table {
            at: table.at,
            entries: &[],
        };
        let metadata = table.get("metadata");
        let metadata = metadata.and_then(|metadata| Table::of(metadata, "`metadata`", faults));
        let metadata = metadata.unwrap_or(nothing);
        let mut list = |table: Table<'_>, key: &str| {
            let found = table.get(key);
            let found = found.map(|found| texts(found, &format!("`{key}`"), ITEMS_MAX, faults));
            found.unwrap_or_default()
        };
        let uploader_capabilities = list(table, "uploader_capabilities");
        let ping_schedule = list(metadata, "ping_schedule");
        Some(Self {
            description: words(table, "description", faults),
            include_client_id: flag(table, "include_client_id", true, faults),
            send_if_empty: flag(table, "send_if_empty", false, faults),
            enabled: flag(table, "enabled", true, faults),
            include_info_sections: flag(metadata, "include_info_sections", true, faults),
            precise_timestamps: flag(metadata, "precise_timestamps", true, faults),
            follows_collection_enabled: flag(metadata, "follows_collection_enabled", true, faults),
            reasons: reasons(table, faults),
            uploader_capabilities,
            ping_schedule,
            tags: tags(table, faults),
        })
    }
}

fn reasons(table: Table<'_>, faults: &mut Faults) -> BTreeMap<String, String> {
    let reasons = table.get("reasons");
    let reasons = reasons.and_then(|reasons| Table::of(reasons, "`reasons`", faults));
    let entries = reasons.map_or(&[][..], |reasons| reasons.entries).iter();
    let read = entries.filter_map(|(reason, node)| {
        let words = plain(node, &format!("`{}`", reason.text), faults)?;
        Some((reason.text.clone(), words.trim().to_owned()))
    });
    read.collect()
}
