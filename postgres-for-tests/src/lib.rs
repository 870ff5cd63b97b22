//! A real PostgreSQL of a test's own: made by a private `initdb` in a temporary folder, ended with the test's process
//! however that ends.

mod guardian;
mod programs;
mod server;

pub use server::{Postgres, Stop};
