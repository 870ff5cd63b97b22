//! Chunks made of sample pings, by the crate that makes them for the edge.

use anyhow::{Result, ensure};
use bytes::Bytes;
use chunk::{ChunkHead, ChunkLimits, ChunkWriter, FrameEncoder, Header, RecordHead};
use index_schema::ChunkKind;
use libdeflater::Decompressor;
use ping::{ChunkId, Dimension, Incarnation, Partition, RecordId};

use crate::bodies::Sent;
use crate::sample::{day, received};

/// A body that inflates to more is none of ours.
const INFLATED_MAX: usize = 8 << 20;

/// Makes chunks with contexts and buffers that are used again.
pub(crate) struct ChunkMaker {
    inflater: Decompressor,
    body: Vec<u8>,
    encoder: Option<FrameEncoder>,
    stored: Option<Vec<u8>>,
    records: u64,
    chunks: u64,
}

impl ChunkMaker {
    /// Contexts and buffers.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            inflater: Decompressor::new(),
            body: vec![0; INFLATED_MAX],
            encoder: Some(FrameEncoder::new()?),
            stored: Some(Vec::new()),
            records: 0,
            chunks: 0,
        })
    }

    /// Inflates pings and seals them in one chunk of a partition; answers its bytes.
    pub(crate) fn seal(&mut self, pings: &[Sent]) -> Result<&[u8]> {
        let mut writer = self.begin()?;
        for ping in pings {
            let length = self.inflater.gzip_decompress(&ping.gzip, &mut self.body)?;
            ensure!(length == ping.body.len(), "a body inflated to {length} bytes");
            let header = |(name, value): &(&str, String)| Header {
                name: (*name).to_owned(),
                value: value.clone(),
            };
            let headers = ping.headers.iter().map(header).collect();
            let head = self.head(&ping.uri, headers, ping.gzip.len());
            writer.append(&head, &self.body[..length])?;
        }
        self.end(writer)
    }

    /// Writes bodies that are not compressed into one chunk; answers its bytes.
    pub(crate) fn write<'a>(
        &mut self,
        pings: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Bytes> {
        let mut writer = self.begin()?;
        for (uri, body) in pings {
            let head = self.head(uri, Vec::new(), body.len());
            writer.append(&head, body)?;
        }
        self.end(writer).map(Bytes::copy_from_slice)
    }

    /// The same of pings that are made one by one.
    pub(crate) fn write_owned(
        &mut self,
        pings: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Result<Bytes> {
        let mut writer = self.begin()?;
        for (uri, body) in pings {
            let head = self.head(&uri, Vec::new(), body.len());
            writer.append(&head, &body)?;
        }
        self.end(writer).map(Bytes::copy_from_slice)
    }

    /// The key of the last chunk.
    #[cfg(feature = "aws")]
    pub(crate) fn key(&self) -> String {
        let key = index_schema::ChunkKey {
            prefix: "pings".to_owned(),
            kind: ChunkKind::Pings,
            partition: partition(),
            id: self.id(),
        };
        key.to_string()
    }

    fn id(&self) -> ChunkId {
        ChunkId {
            incarnation: incarnation(),
            boot: 1,
            plan: self.chunks,
        }
    }

    fn begin(&mut self) -> Result<ChunkWriter<Vec<u8>>> {
        let mut sink = self.stored.take().unwrap_or_default();
        sink.clear();
        let encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => FrameEncoder::new()?,
        };
        self.chunks += 1;
        let head = ChunkHead {
            id: self.id(),
            kind: ChunkKind::Pings,
            partition: partition(),
            writer: "bench".to_owned(),
            replaces: Vec::new(),
        };
        Ok(ChunkWriter::with(sink, head, encoder, ChunkLimits::default())?)
    }

    fn head(&mut self, uri: &str, headers: Vec<Header>, received_bytes: usize) -> RecordHead {
        self.records += 1;
        RecordHead {
            id: RecordId {
                incarnation: incarnation(),
                sequence: self.records,
            },
            received: received(),
            submission_date: day(),
            uri: Bytes::copy_from_slice(uri.as_bytes()),
            headers,
            received_bytes: received_bytes as u64,
            error: None,
            client_hash: None,
        }
    }

    fn end(&mut self, writer: ChunkWriter<Vec<u8>>) -> Result<&[u8]> {
        let finished = writer.finish(received())?;
        self.encoder = Some(finished.encoder);
        Ok(self.stored.insert(finished.sink))
    }
}

fn partition() -> Partition {
    let mut partition = Partition::new(Dimension::ALL.map(|_| "bench".to_owned()));
    partition.set(Dimension::SubmissionDate, day().to_string());
    partition
}

const fn incarnation() -> Incarnation {
    Incarnation::from_bytes([7; 16])
}
