//! The sources of one batch, each with the dimensions that its reader tells, by number; and a ping's values of them while it is
//! taken apart.

use std::collections::HashMap;
use std::sync::Arc;

use aggregate_store::{Dimension as Name, DimensionSet, Source, USER_DIMENSIONS};
use ping::{SubmissionDate, Timestamp};
use readers::glean::GleanDimension;

use super::dimension::Dimension;
use super::products::Product;

/// About what a source takes besides its name.
const SHAPE_BYTES: usize = 120;

/// A source, and its dimensions by the places in which its reader tells them.
#[derive(Clone, Debug)]
struct Shape {
    source: Source,
    dimensions: Arc<[Name]>,
}

/// The sources met in a batch.
#[derive(Debug)]
pub(super) struct Shapes {
    shapes: Vec<Shape>,
    /// All but `telemetry/main`, by name.
    by_name: HashMap<String, u32>,
    of_glean: Arc<[Name]>,
    scratch: String,
    bytes: usize,
}

impl Shapes {
    /// The number of `telemetry/main`.
    pub(super) const MAIN: u32 = 0;

    pub(super) fn new() -> Self {
        let main = Shape {
            source: Source::telemetry_main(),
            dimensions: Dimension::ALL
                .into_iter()
                .map(|dimension| Name::named(dimension.name()))
                .collect(),
        };
        let of_glean = GleanDimension::ALL.into_iter();
        Self {
            shapes: vec![main],
            by_name: HashMap::new(),
            scratch: String::new(),
            of_glean: of_glean.map(|dimension| Name::named(dimension.name())).collect(),
            bytes: 0,
        }
    }

    /// The number of a source of Glean's.
    pub(super) fn glean(&mut self, namespace: &str, document_type: &str) -> u32 {
        self.scratch.clear();
        self.scratch.extend([namespace, "/", document_type]);
        match self.by_name.get(self.scratch.as_str()) {
            Some(&known) => known,
            None => self.add(Source::named(&self.scratch), Arc::clone(&self.of_glean)),
        }
    }

    /// The number of a declared source.
    pub(super) fn declared(&mut self, product: &Product) -> u32 {
        match self.by_name.get(product.source.as_str()) {
            Some(&known) => known,
            None => self.add(product.source.clone(), Arc::clone(&product.dimensions)),
        }
    }

    fn add(&mut self, source: Source, dimensions: Arc<[Name]>) -> u32 {
        let number = u32::try_from(self.shapes.len()).expect("a batch ends long before 2^32 sources");
        self.bytes += SHAPE_BYTES + source.as_str().len();
        self.by_name.insert(source.as_str().to_owned(), number);
        self.shapes.push(Shape { source, dimensions });
        number
    }

    /// How many dimensions a source has.
    pub(super) fn dimensions(&self, shape: u32) -> usize {
        self.shapes[shape as usize].dimensions.len()
    }

    /// Their names.
    pub(super) fn names(&self, shape: u32) -> Arc<[Name]> {
        Arc::clone(&self.shapes[shape as usize].dimensions)
    }

    /// The set that the store keeps.
    pub(super) fn set(&self, staged: StagedSet) -> DimensionSet {
        let Shape { source, dimensions } = &self.shapes[staged.shape as usize];
        let values = dimensions.iter().cloned().zip(staged.values);
        let stated = values.filter(|(_, value)| !value.is_empty());
        DimensionSet::new(source.clone(), staged.submission_date, stated)
    }

    /// About how much memory the names take.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// A ping's source, day and values, every dimension in its place: a set is made of it once, where it is met first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct StagedSet {
    shape: u32,
    submission_date: SubmissionDate,
    values: Vec<String>,
}

impl Default for StagedSet {
    fn default() -> Self {
        Self {
            shape: Shapes::MAIN,
            submission_date: Timestamp::default().submission_date(),
            values: vec![String::new(); Dimension::ALL.len()],
        }
    }
}

impl StagedSet {
    /// Forgets all values, for a ping of this source, which has so many dimensions.
    pub(super) fn clear(&mut self, shape: u32, dimensions: usize, submission_date: SubmissionDate) {
        self.shape = shape;
        self.submission_date = submission_date;
        self.values.iter_mut().for_each(String::clear);
        self.values.resize_with(dimensions, String::new);
    }

    /// The number of the source.
    pub(super) const fn shape(&self) -> u32 {
        self.shape
    }

    /// The value at a place; none where the source has no such dimension.
    pub(super) fn at(&mut self, place: usize) -> Option<&mut String> {
        self.values.get_mut(place)
    }

    /// The value of a dimension of `telemetry/main`.
    pub(super) fn value(&mut self, dimension: Dimension) -> &mut String {
        &mut self.values[dimension as usize]
    }

    /// The system's name, and its version, of a ping of `telemetry/main`.
    pub(super) fn os(&mut self) -> (&str, &mut String) {
        let (before, from_version) = self.values.split_at_mut(Dimension::OsVersion as usize);
        (&before[Dimension::Os as usize], &mut from_version[0])
    }
}

/// Under what the users of a set are counted.
pub(super) fn users_of(set: &DimensionSet) -> DimensionSet {
    set.projected(&USER_DIMENSIONS)
}
