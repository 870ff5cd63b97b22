//! A partition and a kind of chunk in one allocation: what open chunks are known by.

use std::sync::Arc;

use index_schema::ChunkKind;
use ping::{Dimension, OTHER, Partition};

/// A kind of chunk and a partition, in one allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct PartitionKey(Arc<[u8]>);

impl PartitionKey {
    /// The key of a kind and a partition.
    pub(crate) fn new(kind: ChunkKind, partition: &Partition) -> Self {
        let mut bytes = vec![match kind {
            ChunkKind::Pings => 0,
            ChunkKind::Errors => 1,
        }];
        for (_, value) in partition.iter() {
            let length =
                u8::try_from(value.len()).expect("a dimension value has at most 96 bytes, else it is OTHER");
            bytes.push(length);
            bytes.extend_from_slice(value.as_bytes());
        }
        Self(bytes.into())
    }

    /// What its chunks hold.
    pub(crate) fn kind(&self) -> ChunkKind {
        match self.0.first() {
            Some(1) => ChunkKind::Errors,
            _ => ChunkKind::Pings,
        }
    }

    /// Its dimension values.
    pub(crate) fn partition(&self) -> Partition {
        let mut rest = self.0.get(1..).unwrap_or_default();
        Partition::new(Dimension::ALL.map(|_| {
            let Some((length, tail)) = rest.split_first() else {
                return String::new();
            };
            let (value, tail) = tail.split_at(usize::from(*length).min(tail.len()));
            rest = tail;
            String::from_utf8_lossy(value).into_owned()
        }))
    }

    /// All but the kind and the day, of which the latter comes first.
    pub(crate) fn without_day(&self) -> &[u8] {
        let day = self.0.get(1).map_or(0, |length| usize::from(*length));
        self.0.get(2 + day..).unwrap_or_default()
    }

    /// The same partition's chunks of the other kind.
    pub(crate) fn other_kind(&self) -> Self {
        let other = match self.kind() {
            ChunkKind::Pings => ChunkKind::Errors,
            ChunkKind::Errors => ChunkKind::Pings,
        };
        Self::new(other, &self.partition())
    }

    /// Whether something is so of its namespace and document type.
    pub(crate) fn is_of(&self, is_so: impl FnOnce(&str, &str) -> bool) -> bool {
        let partition = self.partition();
        is_so(
            partition.get(Dimension::SourceName),
            partition.get(Dimension::DocType),
        )
    }

    /// The same with the namespace and the document type of another one.
    pub(crate) fn with_source_of(&self, other: &Self) -> Self {
        let (mut partition, source) = (self.partition(), other.partition());
        for dimension in [Dimension::SourceName, Dimension::DocType] {
            partition.set(dimension, source.get(dimension));
        }
        Self::new(self.kind(), &partition)
    }

    /// The same with some dimensions `OTHER`.
    pub(crate) fn generalised(&self, dimensions: &[Dimension]) -> Self {
        let mut partition = self.partition();
        for dimension in dimensions {
            partition.set(*dimension, OTHER);
        }
        Self::new(self.kind(), &partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_apart_into_its_kind_and_partition() {
        let values = Dimension::ALL.map(|dimension| format!("{dimension} ü\0{}", "x".repeat(40)));
        let partition = Partition::new(values);
        for kind in [ChunkKind::Pings, ChunkKind::Errors] {
            let key = PartitionKey::new(kind, &partition);
            assert_eq!((key.kind(), key.partition()), (kind, partition.clone()));
            assert_eq!(key.other_kind().other_kind(), key);
        }
    }
}
