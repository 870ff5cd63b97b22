//! The summary frame: what a chunk says of itself, and the SHA-256 of that. Written and read.
//!
//! The payload is the protobuf message `Summary`, then 32 bytes: the SHA-256 of the message as it stands.

use index_schema::ChunkKind;
use index_schema::proto::{DimensionValue, Kind, Summary};
use ping::{ChunkId, Dimension, Partition};
use prost::Message;
use sha2::{Digest, Sha256};

use crate::frame::{self, SUMMARY_MAGIC};
use crate::limits::SUMMARY_BYTES_MAX;

/// The format that is written, and the only one that is read.
pub const FORMAT_MAJOR: u32 = 1;

/// Raised when a field is added that old readers may ignore.
pub const FORMAT_MINOR: u32 = 0;

/// The whole frame. `None` when it is larger than a summary may be.
pub(crate) fn encode(summary: &Summary) -> Option<Vec<u8>> {
    let message = summary.encode_to_vec();
    let digest = Sha256::digest(&message);
    (message.len() + digest.len() <= SUMMARY_BYTES_MAX)
        .then(|| frame::skippable(SUMMARY_MAGIC, &[&message, &digest]))
        .flatten()
}

/// Reads a whole frame, its header included.
pub(crate) fn decode(frame: &[u8]) -> Result<Summary, &'static str> {
    let payload =
        frame::skippable_payload(SUMMARY_MAGIC, frame).ok_or("it is no frame of its type and length")?;
    if payload.len() > SUMMARY_BYTES_MAX {
        return Err("it is larger than 64 KiB");
    }
    let (message, digest) = payload
        .split_last_chunk::<32>()
        .ok_or("it is shorter than its digest")?;
    if Sha256::digest(message).as_slice() != digest {
        return Err("its bytes are not those of its digest");
    }
    Summary::decode(message).map_err(|_| "it is no protobuf message")
}

/// The dimension values as the summary has them.
pub(crate) fn partition_values(partition: &Partition) -> Vec<DimensionValue> {
    let value = |(dimension, value): (Dimension, &str)| DimensionValue {
        name: dimension.name().to_owned(),
        value: value.to_owned(),
    };
    partition.iter().map(value).collect()
}

/// What a summary says, as types.
pub(crate) fn identity(summary: &Summary) -> Result<(ChunkId, ChunkKind, Partition), &'static str> {
    let id = summary.chunk_id.parse().map_err(|_| "its chunk id is none")?;
    let kind = match summary.kind() {
        Kind::Pings => ChunkKind::Pings,
        Kind::Errors => ChunkKind::Errors,
        Kind::Unspecified => return Err("its kind is none"),
    };
    let names = Dimension::ALL.map(Dimension::name);
    if !summary
        .partition
        .iter()
        .map(|value| value.name.as_str())
        .eq(names)
    {
        return Err("its dimensions are not those of the format");
    }
    let mut values: [String; 8] = Default::default();
    for (place, value) in values.iter_mut().zip(&summary.partition) {
        place.clone_from(&value.value);
    }
    Ok((id, kind, Partition::new(values)))
}
