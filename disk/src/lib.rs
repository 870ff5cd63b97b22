//! The only door to files: what the log, the seal and the directory store need of a file system, real or simulated.
