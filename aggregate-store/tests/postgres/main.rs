//! The aggregates in PostgreSQL: they keep the law of every back end, equal those in SQLite, and hold when several
//! processes write them.

mod beside;
mod dice;
mod faults;
mod history;
mod law;
mod leases;
mod migrating;
mod outdated;
mod parts;
mod pings;
mod rebuilding;
mod sizes;
mod snapshots;
mod taking_over;
mod test_database;
mod version_1;
mod version_2;
mod version_3;
