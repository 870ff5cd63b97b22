//! The suite that every back end must pass: call [`every_back_end_keeps_the_law`] from a test, and
//! [`every_back_end_deletes_by_date`] and [`every_back_end_notes_one_client_secret`]. They panic with what was broken.
//!
//! What does not live here: durability, and what a file or server of another version does; a back end's own tests show
//! these.

mod asked_again;
mod catalogue;
mod cells;
mod client_secrets;
mod law;
mod listed;
mod oracle;
mod rebuilding;
mod retaining;
mod retaining_sources;
mod rows;
mod samples;
mod users;
mod whole_rebuilds;

pub use asked_again::asked;
pub use client_secrets::every_back_end_notes_one_client_secret;
pub use law::every_back_end_keeps_the_law;
pub use oracle::{Oracle, dump_of};
pub use retaining::every_back_end_deletes_by_date;
pub use samples::{
    any_additions, any_cell_query, any_key, cell_batch, chunk_id, folded_chunk, knowing, record_id, sources,
};
