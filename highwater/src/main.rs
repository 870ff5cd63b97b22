//! The one binary. What lives here: the command line and the wiring. What does not: any work of its own.

fn main() {}
