//! Declarations that change beside a pipeline in this process.
