//! The index: protobuf messages, chunk keys, and the one door to index entries with its back ends.
