//! What differs between the declarations in force and others that are to take their place. Pure.

use std::collections::{BTreeMap, BTreeSet};

use readers::privacy::SourceRules as PrivacyRules;

use super::limits::NAMED_MAX;
use super::together::Declarations;

/// The sources, by name, of which something differs; and whether definitions do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Declared now, and not before.
    pub(crate) came: Vec<String>,
    /// By another text than before.
    pub(crate) changed: Vec<String>,
    /// Declared no more: what is in use stays in force.
    pub(crate) gone: Vec<String>,
    /// Of which other things are taken out before they are stored.
    pub(crate) privacy: Vec<String>,
    /// That are kept for another time.
    pub(crate) kept: Vec<String>,
    /// Whether something else is known of metrics and sources.
    pub(crate) definitions: bool,
}

impl Difference {
    /// What is another thing after than before.
    pub(crate) fn between(before: &Declarations, after: &Declarations) -> Self {
        let (old, new) = (texts(before), texts(after));
        let names = |of: &BTreeMap<String, &str>| of.keys().cloned().collect::<BTreeSet<String>>();
        let (old_names, new_names) = (names(&old), names(&new));
        let both = old_names.intersection(&new_names);
        Self {
            came: new_names.difference(&old_names).cloned().collect(),
            changed: both
                .filter(|source| old[*source] != new[*source])
                .cloned()
                .collect(),
            gone: old_names.difference(&new_names).cloned().collect(),
            privacy: differing(&privacy(before), &privacy(after)),
            kept: differing(&before.kept, &after.kept),
            definitions: before.definitions != after.definitions,
        }
    }

    /// Whether sources are folded otherwise, or others are.
    pub(crate) const fn is_of_fold(&self) -> bool {
        !(self.came.is_empty() && self.changed.is_empty() && self.gone.is_empty())
    }
}

/// Names in a log line: the first of them, and how many more there are.
pub(crate) fn named(names: &[String]) -> String {
    let first = names
        .iter()
        .take(NAMED_MAX)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The text that declares each source.
fn texts(declarations: &Declarations) -> BTreeMap<String, &str> {
    let declared = declarations.products.iter();
    let by_source = declared.flat_map(|(declaration, text)| {
        let sources = declaration.sources.iter();
        sources.map(|source| (source.to_string(), text.as_str()))
    });
    by_source.collect()
}

/// What is taken out of pings of each source that is declared.
fn privacy(declarations: &Declarations) -> BTreeMap<String, PrivacyRules> {
    let declared = declarations.products.iter();
    let by_source = declared.flat_map(|(declaration, _)| {
        let sources = declaration.sources.iter().enumerate();
        sources
            .filter_map(|(place, source)| Some((source.to_string(), PrivacyRules::of(declaration, place)?)))
    });
    by_source.collect()
}

/// The keys under which something else stands, or something in one of them alone.
fn differing<V: PartialEq>(old: &BTreeMap<String, V>, new: &BTreeMap<String, V>) -> Vec<String> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differ = keys.into_iter().filter(|key| old.get(*key) != new.get(*key));
    differ.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::super::texts::{NamedText, Texts};
    use super::*;

    /// What a drawn declaration of one source says, by a number: nothing, or one of several.
    fn text_of(source: &str, number: u64) -> Option<String> {
        let (privacy, keep, dimension) = (number % 3, number / 3 % 3, number / 9 % 2);
        let privacy =
            ["", "drop: [/host]\n", "clients: none\ndrop: [/host]\n"][usize::try_from(privacy).ok()?];
        let keep = [
            "",
            "keep: { pings: 3d }\n",
            "keep: { pings: 3d, aggregates: 9d }\n",
        ][usize::try_from(keep).ok()?];
        let dimension = ["", "dimensions: { theme: { path: /theme } }\n"][usize::try_from(dimension).ok()?];
        (number < 18)
            .then(|| format!("$highwater: product/1\nsources: [{source}]\n{dimension}{privacy}{keep}"))
    }

    /// Each source with the number of its declaration.
    fn declarations(numbers: &[(&str, u64)]) -> Declarations {
        let named = numbers.iter().filter_map(|(source, number)| {
            Some(NamedText {
                file: format!("{}.yaml", source.replace('/', "-")).into(),
                text: text_of(source, *number)?,
            })
        });
        let texts = Texts {
            products: named.collect(),
            definitions: Vec::new(),
        };
        Declarations::of(texts).expect("declarations")
    }

    #[test]
    fn what_differs_is_told_by_source_whatever_was_declared_before_and_is_after() {
        let sources = ["acme/usage", "acme/install", "inky/pages"];
        let mut state = 0x9e37_79b9_u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // A third of them are not declared.
            (state >> 33) % 27
        };
        for round in 0..300 {
            let old = sources.map(|source| (source, draw()));
            // Often nothing changes of a source.
            let new = old.map(|(source, number)| (source, if draw() < 9 { number } else { draw() }));
            let found = Difference::between(&declarations(&old), &declarations(&new));
            let mut expected = Difference::default();
            let mut pairs: Vec<_> = old.iter().zip(&new).collect();
            pairs.sort_unstable();
            for ((source, old), (_, new)) in pairs {
                let (was, is) = (*old < 18, *new < 18);
                let name = source.to_string();
                match (was, is) {
                    (false, true) => expected.came.push(name.clone()),
                    (true, false) => expected.gone.push(name.clone()),
                    (true, true) if old != new => expected.changed.push(name.clone()),
                    _ => {}
                }
                let of = |is: bool, part: u64| if is { part % 3 } else { 0 };
                if of(was, *old) != of(is, *new) {
                    expected.privacy.push(name.clone());
                }
                if of(was, *old / 3) != of(is, *new / 3) {
                    expected.kept.push(name);
                }
            }
            // A declared source is known by its dimensions, and by that it is declared.
            let known = |(_, number): &(&str, u64)| (*number < 18).then_some(*number / 9);
            expected.definitions = old.iter().map(known).ne(new.iter().map(known));
            assert_eq!(found, expected, "round {round}: {old:?} to {new:?}");
        }
    }

    #[test]
    fn a_log_line_names_twenty_sources_and_counts_the_others() {
        let names: Vec<String> = (0..23).map(|number| number.to_string()).collect();
        assert_eq!(named(&names[..2]), "0, 1");
        assert!(named(&names).ends_with("18, 19 and 3 more"));
    }
}
