//! The lines of a dump: canonical, so that stores of equal content give equal lines whatever their back end.

use serde::ser::{Serialize, SerializeMap, Serializer};
use sketch::Cell;

use crate::layer::CellName;
use crate::{AggregateError, DimensionSet, STANDARD_DIMENSIONS, Source, USER_DIMENSIONS};

/// A cell. Sums and samples are texts, for they may be larger than a JSON number is commonly read.
pub(crate) struct CellLine<'a> {
    name: CellName<'a>,
    cell: &'a Cell,
}

impl<'a> CellLine<'a> {
    /// The line of a cell.
    pub(crate) const fn of(name: CellName<'a>, cell: &'a Cell) -> Self {
        Self { name, cell }
    }
}

impl Serialize for CellLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { name, cell } = self;
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("kind", "cell")?;
        line.serialize_entry("source", name.dimensions.source().as_str())?;
        line.serialize_entry("metric", name.metric)?;
        dimensions(&mut line, name.dimensions, &STANDARD_DIMENSIONS)?;
        line.serialize_entry("process", name.process)?;
        line.serialize_entry("label", name.label)?;
        line.serialize_entry("layout", &name.layout.to_string())?;
        line.serialize_entry("count", &cell.count())?;
        line.serialize_entry("sum", &cell.sum().to_string())?;
        let bins = cell.bins().iter();
        let bins: Vec<(i64, String)> = bins
            .map(|&(bound, samples)| (bound, samples.to_string()))
            .collect();
        line.serialize_entry("bins", &bins)?;
        line.end()
    }
}

/// A user sketch.
pub(crate) struct UserLine<'a> {
    /// Under what it is kept.
    pub(crate) set: &'a DimensionSet,
    /// In hexadecimal digits.
    pub(crate) image: String,
}

impl Serialize for UserLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("kind", "users")?;
        line.serialize_entry("source", self.set.source().as_str())?;
        dimensions(&mut line, self.set, &USER_DIMENSIONS)?;
        line.serialize_entry("image", &self.image)?;
        line.end()
    }
}

/// Day and dimensions. A ping of `telemetry/main` has all of these, stated or not; others have what they state.
fn dimensions<M: SerializeMap>(line: &mut M, set: &DimensionSet, standard: &[&str]) -> Result<(), M::Error> {
    line.serialize_entry(
        crate::Dimension::SUBMISSION_DATE,
        &set.submission_date().to_string(),
    )?;
    let is_main = set.source().as_str() == Source::TELEMETRY_MAIN;
    let stated = |name: &str| set.values().iter().any(|(stated, _)| stated.as_str() == name);
    for name in standard.iter().filter(|name| is_main || stated(name)) {
        line.serialize_entry(name, set.value(name))?;
    }
    for (name, value) in set.values() {
        if !standard.contains(&name.as_str()) {
            line.serialize_entry(name.as_str(), value)?;
        }
    }
    Ok(())
}

/// A line as text.
pub(crate) fn line_of(line: &impl Serialize) -> Result<String, AggregateError> {
    serde_json::to_string(line).map_err(|error| AggregateError::Damaged(error.to_string()))
}
