//! What the heartbeats ask. Each fails exactly when a load balancer should take its listener out: the table stands in
//! `docs/operations.md`, section "Heartbeats".

use std::sync::Arc;

use edge::{Edge, EdgeStatus};
use query::health::HealthSource;
use service::dockerflow::{Check, Health, Version};
use service::shutdown::Shutdown;

/// The edge's: out when pings cannot be kept. That the store is gone does not matter while the log has room.
pub(crate) fn of_edge(edge: &Arc<Edge>, ending: Shutdown) -> Health {
    let (disk, queue, day) = (edge.clone(), edge.clone(), edge.clone());
    Health::new(version())
        .check("check_shutting_down", move || going_on(&ending))
        .check("check_disk_bytes_free", move || {
            disk.probe();
            writes(&disk.status())
        })
        .check("check_queue_size", move || room(&queue.status()))
        .check("check_clock", move || clock(&day.status()))
}

/// That of who asks databases: out when questions cannot be answered. That pings cannot be kept does not matter to it.
pub(crate) fn of_databases(watch: &Arc<impl HealthSource>, ending: Shutdown) -> Health {
    let watch = Arc::clone(watch);
    Health::new(version())
        .check("check_shutting_down", move || going_on(&ending))
        .check("check_databases", move || {
            match &watch.health().numbers.databases {
                None => Check::Ok,
                Some(error) => Check::Unavailable(format!("index or aggregates cannot be asked: {error}")),
            }
        })
}

fn going_on(ending: &Shutdown) -> Check {
    match ending.is_wished() {
        false => Check::Ok,
        true => Check::Unavailable("the process is ending: send to another one".to_owned()),
    }
}

fn writes(status: &EdgeStatus) -> Check {
    match (status.failed, status.lost, status.writable) {
        (Some(failed), _, _) => {
            Check::Failed(format!("{failed}: the process ends, and has to be started again"))
        }
        (None, Some(lost), _) => Check::Unavailable(format!("{lost}: nothing is taken meanwhile")),
        (None, None, true) => Check::Ok,
        (None, None, false) => {
            Check::Unavailable("the last write to the log failed: look at its disk".to_owned())
        }
    }
}

fn room(status: &EdgeStatus) -> Check {
    match status.has_room {
        true => Check::Ok,
        false => Check::Full(
            "the log has no room: see whether the store takes chunks, and whether the disk is full"
                .to_owned(),
        ),
    }
}

fn clock(status: &EdgeStatus) -> Check {
    match status.takes_today {
        true => Check::Ok,
        false => Check::Unavailable(
            "by this machine's clock today is below the floor date: set the clock, or lower the floors"
                .to_owned(),
        ),
    }
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

#[cfg(test)]
mod tests;
