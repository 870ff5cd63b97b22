//! The edge from submission to chunk, over disks and stores that fail, and what it takes of memory.

mod alone;
mod bombs;
mod bounds;
mod copies;
mod crashes;
mod door;
mod ending;
mod errors;
mod full_disk;
mod large;
mod outage;
mod partitions;
mod places;
mod privacy;
mod recovery;
mod rotation;
mod sealing;
mod small_disk;
mod staged;
mod stragglers;
mod stuck;
mod support;
mod vitals;
