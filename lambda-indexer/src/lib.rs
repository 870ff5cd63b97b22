//! "Object created" in, index entries out. Reads a chunk's tail by one ranged read; never decompresses.
