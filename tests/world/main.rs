//! Many processes of the program that share S3 and PostgreSQL, on LocalStack: a test of the package `highwater`, so that cargo
//! builds the program with the feature `aws` for it.

mod commands;
mod faults;
mod lambda_faults;
mod pipeline;
mod queues;
mod side_by_side;

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_highwater");
