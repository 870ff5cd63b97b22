//! The declared products that are folded, those whose declarations come with this program among them: for each source its reader, and the
//! names by which its reader tells.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use aggregate_store::{Dimension as Name, Source};
use ping::{Submission, SubmissionDate};
use readers::declaration::{Clients, Declaration};
use readers::declared::Reader;
use readers::shipped::{shipped, shipped_texts};

/// One declared source.
#[derive(Debug)]
pub(crate) struct Product {
    pub(super) source: Source,
    pub(super) reader: Reader,
    /// By the places in which the reader tells them.
    pub(super) dimensions: Arc<[Name]>,
    pub(super) metrics: Vec<String>,
    /// Whether its users are counted.
    pub(super) counts_users: bool,
    /// The text of its declaration: its rules.
    rules: Arc<str>,
    /// From which day on the declaration counts, if not of all.
    since: Option<SubmissionDate>,
}

/// What was given for one source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    /// The source.
    pub(crate) source: &'a Source,
    /// The text of its declaration.
    pub(crate) rules: &'a str,
    /// From which day on it counts; `None` is all.
    pub(crate) since: Option<SubmissionDate>,
}

impl Given<'_> {
    /// Whether the first day on which it counts has come.
    pub(crate) fn has_begun(&self, today: SubmissionDate) -> bool {
        self.since.is_none_or(|since| since <= today)
    }
}

/// Products by namespace and document type.
type BySource = BTreeMap<(String, String), Arc<Product>>;

/// Those that come with this program.
static SHIPPED: LazyLock<BySource> = LazyLock::new(|| by_source(shipped().iter().zip(shipped_texts())));

/// All of them, by namespace and document type. Those that come with this program are always there, unless another declaration is given
/// for their source.
#[derive(Clone, Debug, Default)]
pub struct Products {
    given: BySource,
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
        let declarations = declarations
            .iter()
            .map(|(declaration, text)| (declaration, text.as_str()));
        Self {
            given: by_source(declarations),
        }
    }

    /// Those by whose stored rules sources are folded: some of these are known already.
    ///
    /// # Errors
    /// The source whose rules are none that this program reads.
    pub fn by_rules(rules: &BTreeMap<String, String>, known: &[&Self]) -> Result<Self, String> {
        let mut given = BySource::new();
        for (source, text) in rules {
            let unreadable = || source.clone();
            let (namespace, document_type) = source.split_once('/').ok_or_else(unreadable)?;
            let key = (namespace.to_owned(), document_type.to_owned());
            let mut known = known.iter().filter_map(|products| products.given.get(&key));
            let product = match known.find(|product| *product.rules == **text) {
                Some(known) => Arc::clone(known),
                None => Arc::new(Product::by_text(source, text).ok_or_else(unreadable)?),
            };
            given.insert(key, product);
        }
        Ok(Self { given })
    }

    /// Whether none are given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// Each source with the text of its declaration, ascending.
    pub(crate) fn rules(&self) -> impl Iterator<Item = (&Source, &str)> {
        self.given().map(|given| (given.source, given.rules))
    }

    /// What was given for each source, ascending.
    pub(crate) fn given(&self) -> impl Iterator<Item = Given<'_>> {
        self.given.values().map(|product| Given {
            source: &product.source,
            rules: &product.rules,
            since: product.since,
        })
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
            counts_users: declaration.client_id.is_some()
                && declaration.privacy.get(place)?.clients != Clients::None,
            reader,
            rules: Arc::clone(rules),
            since: declaration.since,
        })
    }

    fn by_text(source: &str, text: &str) -> Option<Self> {
        let declaration = Declaration::read(text).ok()?;
        let mut sources = declaration.sources.iter();
        let place = sources.position(|declared| declared.to_string() == source)?;
        Self::of(&declaration, place, &Arc::from(text))
    }
}

fn by_source<'a>(declarations: impl IntoIterator<Item = (&'a Declaration, &'a str)>) -> BySource {
    let mut by_source = BySource::new();
    for (declaration, text) in declarations {
        let rules: Arc<str> = Arc::from(text);
        for (place, source) in declaration.sources.iter().enumerate() {
            let product = Product::of(declaration, place, &rules);
            let key = (source.namespace.clone(), source.document_type.clone());
            by_source.extend(product.map(|product| (key, Arc::new(product))));
        }
    }
    by_source
}
