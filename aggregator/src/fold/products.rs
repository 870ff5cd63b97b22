//! The declared products that are folded, those whose declarations come with this program among them: for each source its reader, and the
//! names by which its reader tells.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use aggregate_store::{Dimension as Name, Source};
use ping::Submission;
use readers::declaration::Declaration;
use readers::declared::Reader;
use readers::shipped::shipped;

/// One declared source.
#[derive(Debug)]
pub(crate) struct Product {
    pub(super) source: Source,
    pub(super) reader: Reader,
    /// By the places in which the reader tells them.
    pub(super) dimensions: Arc<[Name]>,
    pub(super) metrics: Vec<String>,
}

/// Products by namespace and document type.
type BySource = BTreeMap<(String, String), Arc<Product>>;

/// Those that come with this program.
static SHIPPED: LazyLock<BySource> = LazyLock::new(|| by_source(shipped()));

/// All of them, by namespace and document type. Those that come with this program are always there, unless another declaration is given
/// for their source.
#[derive(Clone, Debug, Default)]
pub struct Products {
    given: BySource,
    /// What decides how they are folded.
    digest: String,
}

/// Products are alike if what decides how they are folded is.
impl PartialEq for Products {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Products {}

impl Products {
    /// Those of declarations that do not contradict each other. `digest` stands for their texts in the fold's version.
    #[must_use]
    pub fn of(declarations: &[Declaration], digest: String) -> Self {
        Self {
            given: by_source(declarations),
            digest,
        }
    }

    /// Whether none are given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// What stands for their texts.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The product of a submission, if it is declared.
    pub(crate) fn get(&self, submission: &Submission) -> Option<&Arc<Product>> {
        if self.given.is_empty()
            && !SHIPPED
                .keys()
                .any(|(namespace, _)| *namespace == submission.namespace)
        {
            return None;
        }
        let key = (submission.namespace.clone(), submission.document_type.clone()?);
        self.given.get(&key).or_else(|| SHIPPED.get(&key))
    }
}

fn by_source(declarations: &[Declaration]) -> BySource {
    let mut by_source = BTreeMap::new();
    for declaration in declarations {
        for (place, source) in declaration.sources.iter().enumerate() {
            let Some(reader) = Reader::new(declaration, place) else {
                continue;
            };
            let dimensions = reader.dimensions().iter();
            let metrics = reader.metrics().iter();
            let product = Product {
                source: Source::named(&source.to_string()),
                dimensions: dimensions.map(|dimension| Name::named(&dimension.name)).collect(),
                metrics: metrics.map(|metric| metric.name.clone()).collect(),
                reader,
            };
            let key = (source.namespace.clone(), source.document_type.clone());
            by_source.insert(key, Arc::new(product));
        }
    }
    by_source
}
