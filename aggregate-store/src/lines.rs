//! The lines of a dump: canonical, so that stores of equal content give equal lines whatever their back end.

use serde::Serialize;
use sketch::Cell;

use crate::layer::CellName;
use crate::{AggregateError, DimensionSet, UserKey};

/// A cell. Sums and samples are texts, for they may be larger than a JSON number is commonly read.
#[derive(Serialize)]
pub(crate) struct CellLine<'a> {
    kind: &'static str,
    metric: &'a str,
    submission_date: String,
    channel: &'a str,
    version: &'a str,
    build_date: &'a str,
    application: &'a str,
    architecture: &'a str,
    os: &'a str,
    os_version: &'a str,
    e10s: &'a str,
    process: &'a str,
    label: &'a str,
    layout: String,
    count: i64,
    sum: String,
    bins: Vec<(i64, String)>,
}

/// A user sketch.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UserLine {
    kind: &'static str,
    submission_date: String,
    application: String,
    channel: String,
    version: String,
    os: String,
    /// In hexadecimal digits; put in when the line is sent.
    pub(crate) image: String,
}

const USERS: &str = "users";

impl UserLine {
    /// The line of a sketch, without its image.
    pub(crate) fn of(key: &UserKey) -> Self {
        let UserKey {
            submission_date,
            application,
            channel,
            version,
            os,
        } = key;
        Self {
            kind: USERS,
            submission_date: submission_date.to_string(),
            application: application.clone(),
            channel: channel.clone(),
            version: version.clone(),
            os: os.clone(),
            image: String::new(),
        }
    }
}

impl<'a> CellLine<'a> {
    /// The line of a cell.
    pub(crate) fn of(name: CellName<'a>, cell: &Cell) -> Self {
        let CellName {
            metric,
            dimensions,
            process,
            label,
            layout,
        } = name;
        let DimensionSet {
            submission_date,
            channel,
            version,
            build_date,
            application,
            architecture,
            os,
            os_version,
            e10s,
        } = dimensions;
        let bins = cell.bins().iter();
        Self {
            kind: "cell",
            metric,
            submission_date: submission_date.to_string(),
            channel,
            version,
            build_date,
            application,
            architecture,
            os,
            os_version,
            e10s,
            process,
            label,
            layout: layout.to_string(),
            count: cell.count(),
            sum: cell.sum().to_string(),
            bins: bins
                .map(|&(bound, samples)| (bound, samples.to_string()))
                .collect(),
        }
    }
}

/// A line as text.
pub(crate) fn line_of(line: &impl Serialize) -> Result<String, AggregateError> {
    serde_json::to_string(line).map_err(|error| AggregateError::Damaged(error.to_string()))
}
