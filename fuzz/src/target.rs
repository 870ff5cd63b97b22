//! The list of targets.

use crate::{
    cell, chunk_key, chunk_reader, declaration, declared, definitions, dimension_schema, fold, fold_shapes,
    glean, gzip, heka, import_line, log_reader, notification, plan, record, settings, submission,
    user_sketch,
};

/// A reader, and what must hold of it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name; its corpus lies in the folder of this name.
    pub name: &'static str,
    /// Reads the bytes, and panics when a law is broken.
    pub run: fn(&[u8]),
    /// Inputs to begin with, besides those of the corpus.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Longest input that is made of them.
    pub bytes_max: usize,
    /// How many mutations a short run tries: what a second or so is enough for.
    pub mutations: u64,
}

macro_rules! targets {
    ($($name:ident $bytes_max:literal $mutations:literal,)*) => {
        [$(Target {
            name: stringify!($name),
            run: $name::target,
            seeds: $name::seeds,
            bytes_max: $bytes_max,
            mutations: $mutations,
        },)*]
    };
}

/// All of them: longest input, mutations of a short run.
pub const TARGETS: [Target; 20] = targets! {
    log_reader 4_096 1_500,
    plan 1_024 8_000,
    record 2_048 8_000,
    chunk_reader 8_192 3_000,
    submission 2_048 4_000,
    chunk_key 1_024 8_000,
    settings 2_048 4_000,
    dimension_schema 4_096 2_000,
    import_line 2_048 8_000,
    heka 2_048 8_000,
    user_sketch 8_192 4_000,
    cell 1_024 8_000,
    gzip 4_096 3_000,
    fold 8_192 4_000,
    fold_shapes 40 40,
    notification 4_096 6_000,
    declaration 4_096 1_000,
    declared 4_096 4_000,
    glean 8_192 6_000,
    definitions 2_048 3_000,
};

/// The target of this name.
pub fn named(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
