//! AWS on this machine: LocalStack without Docker, the template deployed into it with the real zip, and what tests ask of
//! both. What does not live here: PostgreSQL (`postgres-for-tests`), and what is said to S3 by the project's own store.

mod deployment;
mod localstack;
mod tools;
mod world;

pub use deployment::{Deployment, Invoked};
pub use localstack::{LocalStack, REGION};
pub use tools::{Tools, cargo_lambda};
pub use world::World;
