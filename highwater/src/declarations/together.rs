//! What all files say together, read and held against each other: all of it, or a refusal.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aggregator::fold::Products;
use index_schema::SOURCE_FLOORS_MAX;
use ping::DimensionSchema;
use query::definitions::Definitions;
use readers::declaration::{Declaration, beside_glean, between};
use readers::privacy::Declared;
use readers::shipped::shipped;
use retention::{RetentionRule, RulesBySource, SourceRules};

use super::texts::Texts;
use crate::product::{asks_too_much, in_force, parsed};

/// Declarations that can be carried out and contradict neither each other nor a definition.
#[derive(Clone, Debug)]
pub(crate) struct Declarations {
    pub(crate) texts: Texts,
    /// Those of products, each with its text.
    pub(crate) products: Vec<(Declaration, String)>,
    /// What is known of metrics beside their numbers.
    pub(crate) definitions: Definitions,
    /// What is kept of sources whose declarations have `keep`, by `<namespace>/<document type>`.
    pub(crate) kept: RulesBySource,
    /// Document types that are pings of Glean's by definition.
    pub(crate) bare_pings: BTreeSet<String>,
    /// Metrics of scalars that are strings by definition.
    pub(crate) strings: Arc<BTreeSet<String>>,
}

impl Declarations {
    /// What these texts declare. Definition files are read in their order, and declarations after them; those that come with this program
    /// are there without a file. A later file of Mozilla's replaces what an earlier one said; two of Glean's, or a declaration and
    /// one of these, must not contradict each other.
    ///
    /// # Errors
    /// All that is wrong with the declarations, a line each; of definition files the first.
    pub(crate) fn of(texts: Texts) -> anyhow::Result<Self> {
        Self::read(texts, parsed)
    }

    /// The same of texts that were accepted, maybe by a program that refused less.
    ///
    /// # Errors
    /// As of [`of`](Self::of).
    pub(crate) fn accepted(texts: Texts) -> anyhow::Result<Self> {
        Self::read(texts, in_force)
    }

    fn read(texts: Texts, parse: Parse) -> anyhow::Result<Self> {
        let mut definitions = Definitions::default();
        for named in &texts.definitions {
            definitions.load(&named.file.display().to_string(), &named.text)?;
        }
        for declaration in shipped() {
            definitions.declare(declaration);
        }
        let products = declared(&texts, parse)?;
        let mut faults = Vec::new();
        for (named, (declaration, _)) in texts.products.iter().zip(&products) {
            let found = beside_glean(declaration, definitions.glean()).into_iter();
            faults.extend(found.map(|fault| format!("{}: {fault}", named.file.display())));
            definitions.declare(declaration);
        }
        anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
        Ok(Self {
            kept: kept(&products)?,
            bare_pings: definitions.bare_pings()?,
            strings: Arc::new(definitions.strings()?),
            definitions,
            products,
            texts,
        })
    }

    /// A schema by which sources are told apart that are kept for another time than all.
    pub(crate) fn telling_apart(&self, schema: DimensionSchema) -> DimensionSchema {
        let sources = self.kept.keys().filter_map(|source| {
            let (namespace, document_type) = source.split_once('/')?;
            Some((namespace.to_owned(), document_type.to_owned()))
        });
        schema.telling_apart(sources)
    }

    /// The same beside what was declared before: what was said to be kept of a source that is declared no more stays so, since a file may be
    /// gone for a moment alone.
    #[must_use]
    pub(crate) fn keeping(mut self, before: &Self) -> Self {
        let declared: BTreeSet<String> = self
            .products
            .iter()
            .flat_map(|(declaration, _)| declaration.sources.iter().map(ToString::to_string))
            .collect();
        for (source, rules) in &before.kept {
            if !declared.contains(source) {
                self.kept.entry(source.clone()).or_insert(*rules);
            }
        }
        self
    }

    /// What is done with pings before they are stored.
    pub(crate) fn privacy(&self) -> Declared {
        Declared::of(self.products.iter().map(|(declaration, _)| declaration))
    }

    /// The products, for the fold.
    pub(crate) fn folded(&self) -> Products {
        Products::of(&self.products)
    }
}

/// Reads the text of a file.
type Parse = fn(&Path, &str) -> anyhow::Result<Declaration>;

fn declared(texts: &Texts, parse: Parse) -> anyhow::Result<Vec<(Declaration, String)>> {
    let files: Vec<&PathBuf> = texts.products.iter().map(|named| &named.file).collect();
    let mut declarations = Vec::new();
    for named in &texts.products {
        let declaration = parse(&named.file, &named.text)?;
        let asked = asks_too_much(&declaration);
        anyhow::ensure!(asked.is_empty(), "{}: {}", named.file.display(), asked.join("; "));
        declarations.push((declaration, named.text.clone()));
    }
    let all: Vec<&Declaration> = declarations.iter().map(|(declaration, _)| declaration).collect();
    let clashes: Vec<String> = between(&all)
        .iter()
        .map(|clash| {
            let (file, other) = (files[clash.file].display(), files[clash.other].display());
            format!("{file}: {} (declared in {other}, too)", clash.fault)
        })
        .collect();
    anyhow::ensure!(clashes.is_empty(), "{}", clashes.join("\n"));
    Ok(declarations)
}

fn kept(products: &[(Declaration, String)]) -> anyhow::Result<RulesBySource> {
    let mut by_source = RulesBySource::new();
    for (declaration, _) in products {
        for (source, privacy) in declaration.sources.iter().zip(&declaration.privacy) {
            let rules = SourceRules {
                chunks: for_days(privacy.keep_pings),
                aggregates: for_days(privacy.keep_aggregates),
            };
            if rules != SourceRules::default() {
                by_source.insert(source.to_string(), rules);
            }
        }
    }
    anyhow::ensure!(
        by_source.len() <= SOURCE_FLOORS_MAX,
        "--products: {} sources have `keep`, and at most {SOURCE_FLOORS_MAX} may",
        by_source.len()
    );
    Ok(by_source)
}

fn for_days(days: Option<i64>) -> RetentionRule {
    let days = days.and_then(|days| u64::try_from(days).ok());
    RetentionRule {
        age: days.map(|days| Duration::from_secs(days * 86_400)),
        bytes: None,
    }
}

#[cfg(test)]
mod tests {
    use aggregator::fold::FOLD_RULES;
    use readers::shipped::shipped_texts;
    use sha2::{Digest, Sha256};

    use super::super::texts::NamedText;
    use super::*;

    /// The declarations that come with this program are rules of the fold: one that changes must raise their number, and then
    /// this digest.
    #[test]
    fn the_number_of_the_rules_stands_for_the_declarations_that_come_with_them() {
        let mut digest = Sha256::new();
        for text in shipped_texts() {
            digest.update(text);
        }
        let digest = hex::encode(digest.finalize());
        assert_eq!((FOLD_RULES, &digest[..16]), (6, "250dd899bdf35fb8"));
    }

    fn of_files(files: &[(&str, &str)]) -> Declarations {
        let products = files.iter().map(|(file, text)| NamedText {
            file: PathBuf::from(file),
            text: (*text).to_owned(),
        });
        let texts = Texts {
            products: products.collect(),
            ..Texts::default()
        };
        Declarations::of(texts).expect("declarations")
    }

    #[test]
    fn what_is_kept_of_a_source_outlives_its_file_and_ends_by_a_declaration_alone() {
        const SHOP: &str = "$highwater: product/1\nsources: [shop/visit]\nkeep: { pings: 3d }\n";
        const BARE: &str = "$highwater: product/1\nsources: [shop/visit]\n";
        let before = of_files(&[("shop.yaml", SHOP)]);
        let gone = of_files(&[]).keeping(&before);
        assert_eq!(gone.kept, before.kept);
        assert!(!before.kept.is_empty());
        assert_eq!(of_files(&[]).keeping(&gone).kept, before.kept);
        assert!(of_files(&[("shop.yaml", BARE)]).keeping(&before).kept.is_empty());
    }

    #[test]
    fn what_an_earlier_program_accepted_is_read_on_and_not_accepted_anew() {
        const ODD: &str = "$highwater: product/1\nsources: [shop/visit]\ndimensions:\n  city: { path: /city, as: lower, values: [Bonn] }\n";
        let texts = || Texts {
            products: vec![NamedText {
                file: PathBuf::from("shop.yaml"),
                text: ODD.to_owned(),
            }],
            ..Texts::default()
        };
        assert!(Declarations::of(texts()).is_err());
        assert_eq!(Declarations::accepted(texts()).expect("read").products.len(), 1);
    }
}
