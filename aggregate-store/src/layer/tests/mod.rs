//! What is held counts as if it were written.

mod figures;
mod histories;
mod holding;
mod law;
mod readers;
mod trouble;
mod world;
