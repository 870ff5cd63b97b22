//! The only door to objects: put-if-absent, get, ranges, head, list, delete. Knows bytes and keys, no word of the domain.
