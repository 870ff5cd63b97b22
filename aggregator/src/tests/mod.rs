//! The aggregator as a whole: what counts, and that nothing depends on how it was folded.

mod bad_sectors;
mod bodies;
mod borders;
mod copies;
mod dump;
mod editions;
mod failures;
mod given;
mod hostile;
mod layer;
mod memory;
mod pipeline;
mod raw_pings;
mod records;
mod replay;
mod sharing;
mod since;
mod source_rebuild;
mod unreadable;
mod whole_rebuild;
mod world;
