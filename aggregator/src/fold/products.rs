//! The declared products that are folded, those whose declarations come with this program among them: for each source its reader, and the
//! names by which its reader tells.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use aggregate_store::{Dimension as Name, Source};
use ping::{Submission, SubmissionDate};
use readers::declaration::{Clients, Declaration};
use readers::declared::{Edition, Reader};
use readers::shipped::{shipped, shipped_texts};

use super::source_rules;

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
    /// Its rules, as they are stored: the text of its declaration, and by which rules that is read.
    rules: Arc<str>,
    /// From which day on the declaration counts, if not of all.
    since: Option<SubmissionDate>,
}

/// What was given for one source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    /// The source.
    pub(crate) source: &'a Source,
    /// Its rules, as they are stored.
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
static SHIPPED: LazyLock<BySource> = LazyLock::new(|| {
    let declarations = shipped().iter().zip(shipped_texts());
    by_source(declarations, |_| SHIPPED_EDITION)
});

/// By which rules they are read. They have no stored rules of their own: with another edition the number of the fold's rules rises.
const SHIPPED_EDITION: Edition = Edition::NoIdentifiers;

/// All of them, by namespace and document type. Those that come with this program are always there, unless another declaration is given
/// for their source.
#[derive(Clone, Debug, Default)]
pub struct Products {
    given: BySource,
}

/// Products are alike if their sources and their rules are.
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
            given: by_source(declarations, Edition::needed_by),
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

    /// Each source with its rules, ascending.
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
    fn of(declaration: &Declaration, place: usize, edition: Edition, rules: &Arc<str>) -> Option<Self> {
        let reader = Reader::by(declaration, place, edition)?;
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

    fn by_text(source: &str, rules: &str) -> Option<Self> {
        let (edition, text) = source_rules::read(rules)?;
        let declaration = Declaration::in_force(text).ok()?;
        let mut sources = declaration.sources.iter();
        let place = sources.position(|declared| declared.to_string() == source)?;
        Self::of(&declaration, place, edition, &Arc::from(rules))
    }
}

fn by_source<'a>(
    declarations: impl IntoIterator<Item = (&'a Declaration, &'a str)>,
    edition_of: impl Fn(&Declaration) -> Edition,
) -> BySource {
    let mut by_source = BySource::new();
    for (declaration, text) in declarations {
        let edition = edition_of(declaration);
        let rules: Arc<str> = Arc::from(source_rules::written(edition, text));
        for (place, source) in declaration.sources.iter().enumerate() {
            let product = Product::of(declaration, place, edition, &rules);
            let key = (source.namespace.clone(), source.document_type.clone());
            by_source.extend(product.map(|product| (key, Arc::new(product))));
        }
    }
    by_source
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(dimension: &str) -> (Products, String) {
        let text = format!("$highwater: product/1\nsources: [inky/a]\ndimensions: {{ d: {dimension} }}\n");
        let declaration = Declaration::read(&text).expect("a declaration");
        (Products::of(&[(declaration, text.clone())]), text)
    }

    #[test]
    fn only_a_source_whose_dimensions_may_be_anything_has_other_rules_than_before() {
        let (bounded, text) = given("{ path: /a, values: [x] }");
        assert_eq!(
            bounded.rules().map(|(_, rules)| rules).collect::<Vec<_>>(),
            [text.as_str()]
        );
        let (open, text) = given("{ path: /a }");
        let rules: Vec<_> = open.rules().map(|(_, rules)| rules).collect();
        assert!(rules[0] != text && rules[0].ends_with(&text), "{rules:?}");
    }

    #[test]
    fn stored_rules_make_the_product_that_they_were_made_of_and_those_of_before_another_one() {
        let (open, text) = given("{ path: /a }");
        let stored: BTreeMap<String, String> = open
            .rules()
            .map(|(source, rules)| (source.as_str().to_owned(), rules.to_owned()))
            .collect();
        assert_eq!(Products::by_rules(&stored, &[]), Ok(open.clone()));
        let before = BTreeMap::from([("inky/a".to_owned(), text)]);
        let before = Products::by_rules(&before, &[]).expect("a declaration");
        assert_ne!(before, open);
    }
}
