//! What the heartbeats ask.

use std::sync::Arc;

use edge::Edge;
use service::dockerflow::{Check, Health, Version};

/// The edge's: a load balancer takes the node out when pings cannot be kept.
pub fn of_edge(edge: &Arc<Edge>) -> Health {
    let (disk, queue) = (edge.clone(), edge.clone());
    Health::new(version())
        .check("check_disk_bytes_free", move || match disk.status().has_room {
            true => Check::Ok,
            false => Check::Full("the disk has no room for the next segment of the log: free some".to_owned()),
        })
        .check("check_queue_size", move || {
            let status = queue.status();
            if status.log_bytes < status.log_budget {
                Check::Ok
            } else {
                Check::Full("the log's budget is used up: see whether the store takes chunks".to_owned())
            }
        })
}

/// What `/__version__` answers.
pub fn version() -> Version {
    Version {
        source: "highwater".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        commit: option_env!("HIGHWATER_COMMIT").unwrap_or_default().into(),
        build: option_env!("HIGHWATER_BUILD").unwrap_or_default().into(),
    }
}
