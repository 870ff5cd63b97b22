//! The rules that every declared product is read by, beside its declaration: they are numbered, so that a source that was folded by earlier
//! ones is read by these until it is folded anew.

use crate::declaration::{Declaration, Dimension, From, Step};

/// Which rules a reader follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edition {
    /// The first ones.
    First,
    /// Identifiers in dimensions whose values may be anything are `OTHER`.
    NoIdentifiers,
}

/// Each with its number.
const NUMBERS: [(u32, Edition); 2] = [(1, Edition::First), (2, Edition::NoIdentifiers)];

impl Edition {
    /// Those of this program.
    pub const NEWEST: Self = Self::NoIdentifiers;

    /// The first rules by which a declaration's pings tell the same as by the newest: what no rule changed needs no folding anew.
    #[must_use]
    pub fn needed_by(declaration: &Declaration) -> Self {
        match declaration.dimensions.iter().any(Dimension::may_be_anything) {
            true => Self::NoIdentifiers,
            false => Self::First,
        }
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> u32 {
        let found = NUMBERS.into_iter().find(|(_, edition)| *edition == self);
        found.map_or(0, |(number, _)| number)
    }

    /// The one of a number; `None` where this program has none of it.
    #[must_use]
    pub fn of(number: u32) -> Option<Self> {
        let found = NUMBERS.into_iter().find(|(known, _)| *known == number);
        found.map(|(_, edition)| edition)
    }
}

/// What is looked for in the values of a dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// Nothing.
    Open,
    /// Identifiers.
    Identifiers,
    /// Identifiers; four numbers are a version there.
    IdentifiersButVersions,
}

impl Guard {
    pub(super) fn of(dimension: &Dimension, edition: Edition) -> Self {
        if edition < Edition::NoIdentifiers || !dimension.may_be_anything() {
            Self::Open
        } else if expects_versions(dimension) {
            Self::IdentifiersButVersions
        } else {
            Self::Identifiers
        }
    }
}

/// Whether a dimension is one of versions, by its own name, or by that of what it is read from.
fn expects_versions(dimension: &Dimension) -> bool {
    let beside = match &dimension.from {
        From::Path(path) => path.steps().iter().rev().find_map(|step| match step {
            Step::Member(key) => Some(key.to_lowercase()),
            Step::Any => None,
        }),
        From::Header(name) => Some(name.clone()),
        From::Uri(part) => Some(part.word().to_owned()),
    };
    let names = [Some(dimension.name.clone()), beside].into_iter().flatten();
    let mut names = names.filter(|name| {
        ["version", "release", "build"]
            .iter()
            .any(|word| name.contains(word))
    });
    names.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edition_has_a_number_and_the_newest_the_highest() {
        for (number, edition) in NUMBERS {
            assert_eq!((edition.number(), Edition::of(number)), (number, Some(edition)));
            assert!(edition <= Edition::NEWEST);
        }
        assert_eq!(Edition::of(0), None);
        assert_eq!(Edition::of(Edition::NEWEST.number() + 1), None);
    }

    #[test]
    fn a_declaration_needs_the_newest_rules_where_a_dimension_may_be_anything() {
        for (dimension, edition) in [
            ("{ path: /a }", Edition::NoIdentifiers),
            ("{ path: /a, as: lower }", Edition::NoIdentifiers),
            ("{ path: /a, values: [x] }", Edition::First),
            ("{ path: /a, as: host }", Edition::First),
            ("{ path: /a, as: major }", Edition::First),
        ] {
            let text =
                format!("$highwater: product/1\nsources: [inky/a]\ndimensions: {{ d: {dimension} }}\n");
            let declaration = Declaration::read(&text).expect("a declaration");
            assert_eq!(Edition::needed_by(&declaration), edition, "{dimension}");
        }
    }

    #[test]
    fn a_dimension_is_one_of_versions_by_its_name_or_that_of_its_place() {
        for (dimension, guard) in [
            ("os_version: { path: /os }", Guard::IdentifiersButVersions),
            ("app: { path: /app/Version }", Guard::IdentifiersButVersions),
            ("app: { path: /version/app }", Guard::Identifiers),
            ("app: { header: X-Release }", Guard::IdentifiersButVersions),
            ("app: { uri: version }", Guard::IdentifiersButVersions),
            ("app: { uri: channel }", Guard::Identifiers),
            ("version: { path: /os, values: [a] }", Guard::Open),
        ] {
            let text = format!("$highwater: product/1\nsources: [inky/a]\ndimensions: {{ {dimension} }}\n");
            let declaration = Declaration::read(&text).expect("a declaration");
            let guard_of = |edition| Guard::of(&declaration.dimensions[0], edition);
            assert_eq!(guard_of(Edition::NEWEST), guard, "{dimension}");
            assert_eq!(guard_of(Edition::First), Guard::Open, "{dimension}");
        }
    }
}
