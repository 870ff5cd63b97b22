//! What a declared ping tells, ping by ping, and against the slow reader.

mod cases;
mod dice;
mod identifiers;
mod properties;
