//! `bench`: prints what the pipeline's parts cost, as ratios to the machine's own limits in the same run.
//!
//! Each row of the table is a module under `rows`. Exit code 1: a row is void, because the generator is out of
//! calibration or the samples are too few.

mod aggregated;
mod bodies;
mod calibration;
mod conditions;
mod cpu;
mod million;
mod options;
mod outcome;
mod pairs;
mod recorded;
mod report;
mod row_name;
mod rows;
mod run;
mod sample;
mod small_pings;
mod yardstick;

use std::process::ExitCode;

use clap::Parser;

use crate::options::{Child, Options};

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    match &options.child {
        Some(Child::FoldChunk { chunk }) => rows::fold_chunk(chunk).map(|()| ExitCode::SUCCESS),
        None => run::run(&options),
    }
}
