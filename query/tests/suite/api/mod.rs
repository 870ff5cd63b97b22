//! The API as its clients see it, over a store in memory that is slow and obvious, and over SQLite.

mod absence;
mod aggregates;
mod any_source;
mod any_source_edges;
mod any_source_live;
mod bounds;
mod defined;
mod engagement;
mod golden;
mod kept;
mod kinds;
mod lists;
mod network;
mod own_routes;
mod pings;
mod raw_pings;
mod sqlite;
mod store;
mod use_counters;
mod world;
