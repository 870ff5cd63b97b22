//! The edge from submission to chunk, over disks and stores that fail.

mod bounds;
mod crashes;
mod errors;
mod rotation;
mod sealing;
mod stragglers;
mod stuck;
mod support;
