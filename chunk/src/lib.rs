//! How a chunk looks inside: records, data frames, ids, summary, seek table; its writer and its reader. Pure.

#[cfg(feature = "zstd")]
mod coding;
#[cfg(feature = "zstd")]
mod counts;
mod damage;
#[cfg(feature = "zstd")]
mod encoder;
mod entry;
pub mod frame;
#[cfg(feature = "zstd")]
mod head;
#[cfg_attr(not(feature = "zstd"), expect(dead_code, reason = "the writer is left out"))]
mod ids;
pub mod limits;
#[cfg(feature = "zstd")]
mod reader;
mod record;
mod seek;
#[cfg(feature = "zstd")]
mod sink;
#[cfg_attr(not(feature = "zstd"), expect(dead_code, reason = "the writer is left out"))]
mod summary;
mod tail;
#[cfg(feature = "zstd")]
mod verify;
mod wire;
#[cfg(feature = "zstd")]
mod write_error;
#[cfg(feature = "zstd")]
mod writer;

#[cfg(feature = "zstd")]
pub use coding::{Coding, Codings, Undecoded};
pub use damage::{Damage, Part};
#[cfg(feature = "zstd")]
pub use encoder::FrameEncoder;
pub use entry::{EntryError, entry_of};
#[cfg(feature = "zstd")]
pub use head::ChunkHead;
pub use ids::{Ids, IdsError, RecordIdentity};
pub use index_schema::proto::{Header, Summary};
pub use limits::ChunkLimits;
#[cfg(feature = "zstd")]
pub use reader::{ChunkReader, FrameDecoder};
pub use record::{RecordError, RecordHead, RecordRef, Records, records};
pub use seek::{SeekEntry, SeekTable};
pub use summary::{FORMAT_MAJOR, FORMAT_MINOR};
pub use tail::{DataFrame, Tail, TailError};
#[cfg(feature = "zstd")]
pub use verify::{Verified, verify};
#[cfg(feature = "zstd")]
pub use write_error::{Limit, WriteError};
#[cfg(feature = "zstd")]
pub use writer::{ChunkWriter, Finished};
