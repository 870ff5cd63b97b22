//! What the heartbeats ask.

use std::sync::Arc;

use edge::Edge;
use service::dockerflow::{Check, Health, Version};

/// The edge's: a load balancer takes the node out when pings cannot be kept.
pub(crate) fn of_edge(edge: &Arc<Edge>) -> Health {
    let (disk, queue) = (edge.clone(), edge.clone());
    Health::new(version())
        .check("check_disk_bytes_free", move || {
            disk.probe();
            if disk.status().writable {
                Check::Ok
            } else {
                Check::Unavailable("the last write to the log failed: look at its disk".to_owned())
            }
        })
        .check("check_queue_size", move || match queue.status() {
            status if status.has_room => Check::Ok,
            _ => Check::Full(
                "the log has no room: see whether the store takes chunks, and whether the disk is full"
                    .to_owned(),
            ),
        })
}

/// What `/__version__` answers.
pub(super) fn version() -> Version {
    Version {
        source: "highwater",
        version: env!("CARGO_PKG_VERSION"),
        commit: option_env!("HIGHWATER_COMMIT").unwrap_or(""),
        build: option_env!("HIGHWATER_BUILD").unwrap_or(""),
    }
}
