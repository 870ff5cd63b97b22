//! The index's messages and its back ends, each as its users meet it.

mod generated;
#[cfg(feature = "postgres")]
mod postgres;
mod retain;
mod sqlite;
