//! The declared products that are folded: for each source its reader, and the names by which its reader tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use aggregate_store::{Dimension as Name, Source};
use ping::Submission;
use readers::declaration::Declaration;
use readers::declared::Reader;

/// One declared source.
#[derive(Debug)]
pub(crate) struct Product {
    pub(super) source: Source,
    pub(super) reader: Reader,
    /// By the places in which the reader tells them.
    pub(super) dimensions: Arc<[Name]>,
    pub(super) metrics: Vec<String>,
    /// The text of its declaration: its rules.
    rules: Arc<str>,
}

/// All of them, by namespace and document type.
#[derive(Clone, Debug, Default)]
pub struct Products {
    by_source: BTreeMap<(String, String), Arc<Product>>,
}

/// Products are alike if their sources and the texts of their declarations are.
impl PartialEq for Products {
    fn eq(&self, other: &Self) -> bool {
        self.rules().eq(other.rules())
    }
}

impl Eq for Products {}

impl Products {
    /// Those of declarations that do not contradict each other, each with its text.
    #[must_use]
    pub fn of(declarations: &[(Declaration, String)]) -> Self {
        let mut by_source = BTreeMap::new();
        for (declaration, text) in declarations {
            let rules: Arc<str> = Arc::from(text.as_str());
            for (place, source) in declaration.sources.iter().enumerate() {
                let product = Product::of(declaration, place, &rules);
                let key = (source.namespace.clone(), source.document_type.clone());
                by_source.extend(product.map(|product| (key, Arc::new(product))));
            }
        }
        Self { by_source }
    }

    /// Those by whose stored rules sources are folded: some of these are known already.
    ///
    /// # Errors
    /// The source whose rules are none that this program reads.
    pub(crate) fn by_rules(rules: &BTreeMap<String, String>, known: &[&Self]) -> Result<Self, String> {
        let mut by_source = BTreeMap::new();
        for (source, text) in rules {
            let unreadable = || source.clone();
            let (namespace, document_type) = source.split_once('/').ok_or_else(unreadable)?;
            let key = (namespace.to_owned(), document_type.to_owned());
            let mut known = known.iter().filter_map(|products| products.by_source.get(&key));
            let product = match known.find(|product| *product.rules == **text) {
                Some(known) => Arc::clone(known),
                None => Arc::new(Product::by_text(source, text).ok_or_else(unreadable)?),
            };
            by_source.insert(key, product);
        }
        Ok(Self { by_source })
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_source.is_empty()
    }

    /// Each source with the text of its declaration, ascending.
    pub(crate) fn rules(&self) -> impl Iterator<Item = (&Source, &str)> {
        self.by_source
            .values()
            .map(|product| (&product.source, &*product.rules))
    }

    /// The product of a submission, if it is declared.
    pub(crate) fn get(&self, submission: &Submission) -> Option<&Arc<Product>> {
        if self.by_source.is_empty() {
            return None;
        }
        let key = (submission.namespace.clone(), submission.document_type.clone()?);
        self.by_source.get(&key)
    }
}

impl Product {
    /// That of the source at this place of a declaration, if its pings are read.
    fn of(declaration: &Declaration, place: usize, rules: &Arc<str>) -> Option<Self> {
        let reader = Reader::new(declaration, place)?;
        let dimensions = reader.dimensions().iter();
        let metrics = reader.metrics().iter();
        Some(Self {
            source: Source::named(&declaration.sources.get(place)?.to_string()),
            dimensions: dimensions.map(|dimension| Name::named(&dimension.name)).collect(),
            metrics: metrics.map(|metric| metric.name.clone()).collect(),
            reader,
            rules: Arc::clone(rules),
        })
    }

    fn by_text(source: &str, text: &str) -> Option<Self> {
        let declaration = Declaration::read(text).ok()?;
        let mut sources = declaration.sources.iter();
        let place = sources.position(|declared| declared.to_string() == source)?;
        Self::of(&declaration, place, &Arc::from(text))
    }
}
