//! The pipeline in one process: its parts wired together. What they do lives in their crates.

mod anew;
mod arrived;
mod base;
mod control;
mod core;
mod declared;
mod defined;
mod folding_anew;
mod health;
mod listeners;
mod offline;
mod raw_pings;
mod refused;
mod retaining;
mod samples;
mod status;
mod store_watch;
mod taking_up;
mod trend;
mod watcher;

pub(crate) use self::base::Base;
pub(crate) use self::control::{Request, forgotten, lowered, perform, retained, said};
pub(crate) use self::core::Core;
pub(crate) use self::declared::Declared;
pub(crate) use self::defined::Defined;
pub(crate) use self::folding_anew::{folded_anew, refuse_stranger, replay, source_rebuild_to_json};
pub(crate) use self::health::of_databases as health_of_databases;
pub(crate) use self::listeners::{Pipeline, bind_edge, charted_by, check_edge, door, warn_of_open_api};
pub(crate) use self::offline::offline_status;
pub(crate) use self::store_watch::WatchedStore;
pub(crate) use self::taking_up::TakingUp;
pub(crate) use self::watcher::{Stations, WatchedParts, Watcher};
