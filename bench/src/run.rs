//! One run: the sample, the rows one after the other, the table, the verdict.

use std::process::ExitCode;

use anyhow::Result;

use crate::options::Options;
use crate::outcome::Row;
use crate::report::Report;
use crate::rows::Rows;
use crate::sample::Sample;
use crate::{calibration, conditions};

/// Measures all rows asked for and prints them.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut report = Report::default();
    report.line(&conditions::describe(options.seed));
    let sample = Sample::generate(options.seed, options.shared_pings().max(1));
    let figures = calibration::Figures::measure(options, &sample)?;
    figures.describe().iter().for_each(|line| report.line(line));
    let mut faults = calibration::faults(options, &figures);
    report.head();
    let mut rows: Vec<Row> = Vec::new();
    for (name, measure) in Rows::ALL {
        if !options.wants(name) {
            continue;
        }
        for row in measure(options, &sample)? {
            report.row(&row);
            faults.extend(row.void.iter().map(|reason| format!("{}: {reason}", row.work)));
            rows.push(row);
        }
    }
    report.notes(&rows);
    report.line(&format!("load average at the end {}", conditions::load_average()));
    for fault in &faults {
        report.line(&format!("void: {fault}"));
    }
    if options.record {
        let path = report.record()?;
        report.line(&format!("recorded in {}", path.display()));
    }
    Ok(if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
