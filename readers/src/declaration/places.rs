//! Places in a ping that would have to be two things at once: a number for one metric and a text for another, or a number and an object.

use std::collections::BTreeMap;

use super::dimension::From;
use super::fault::{Fault, Position};
use super::kind::Type;
use super::metric::{GivenAs, Metric};
use super::path::{Path, Step};
use super::product::Declaration;
use super::table::{Faults, Table};

/// What a value in JSON may be, as a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kinds(u8);

impl Kinds {
    const BOOLEAN: Self = Self(1);
    const NUMBER: Self = Self(2);
    const TEXT: Self = Self(4);
    const LIST: Self = Self(8);
    const OBJECT: Self = Self(16);

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn words(self) -> String {
        let all = [
            (Self::BOOLEAN, "true or false"),
            (Self::NUMBER, "a number"),
            (Self::TEXT, "a text"),
            (Self::LIST, "an array"),
            (Self::OBJECT, "an object"),
        ];
        let words = all.iter().filter(|(kind, _)| self.meets(*kind));
        let words: Vec<&str> = words.map(|(_, words)| *words).collect();
        words.join(" or ")
    }
}

/// Something that reads a place.
struct Reads<'a> {
    path: &'a Path,
    /// What it takes there.
    kinds: Kinds,
    /// In which document type; in every one, if there is none.
    document_type: Option<&'a str>,
    /// Where it stands in the file.
    at: Position,
    name: String,
}

impl Reads<'_> {
    fn meets(&self, other: &Self) -> bool {
        self.document_type.is_none()
            || other.document_type.is_none()
            || self.document_type == other.document_type
    }
}

/// Says which places cannot be what they are declared to be. What `*` stands for may be one thing under one key and another under
/// the next, so only places of which a ping has one are looked at.
pub(super) fn check(declaration: &Declaration, table: Table<'_>, faults: &mut Faults) {
    let all = all(declaration, table.key_at("client_id"));
    let mut by_path: BTreeMap<&[Step], Vec<&Reads<'_>>> = BTreeMap::new();
    for reads in all.iter().filter(|reads| reads.path.stars() == 0) {
        let others = by_path.entry(reads.path.steps()).or_default();
        let clash = others
            .iter()
            .find(|other| reads.meets(other) && !reads.kinds.meets(other.kinds));
        if let Some(other) = clash {
            let words = format!(
                "{} reads `{}` as {}, and {} as {}: one of them finds nothing it can take",
                reads.name,
                reads.path,
                reads.kinds.words(),
                other.name,
                other.kinds.words()
            );
            faults.push(Fault::new(reads.at, words));
        }
        others.push(reads);
    }
    for reads in &all {
        for (length, step) in reads.path.steps().iter().enumerate().skip(1) {
            let above = by_path.get(&reads.path.steps()[..length]).into_iter().flatten();
            let inside = inside(step);
            let mut clash = above.filter(|above| reads.meets(above) && !above.kinds.meets(inside));
            if let Some(above) = clash.next() {
                let words = format!(
                    "{} reads `{}`, which lies inside `{}`; that is {} for {}, and would have to be {}",
                    reads.name,
                    reads.path,
                    above.path,
                    above.kinds.words(),
                    above.name,
                    inside.words()
                );
                faults.push(Fault::new(reads.at, words));
                break;
            }
        }
    }
}

/// What has a step inside.
fn inside(step: &Step) -> Kinds {
    let is_element = match step {
        Step::Any => true,
        Step::Member(key) => key
            .parse::<usize>()
            .is_ok_and(|number| number.to_string() == *key),
    };
    match is_element {
        true => Kinds::OBJECT.or(Kinds::LIST),
        false => Kinds::OBJECT,
    }
}

fn all(declaration: &Declaration, client_at: Position) -> Vec<Reads<'_>> {
    let client = declaration.client_id.iter().map(|path| Reads {
        path,
        kinds: Kinds::TEXT,
        document_type: None,
        at: client_at,
        name: "the client's id".to_owned(),
    });
    let scalars = Kinds::TEXT.or(Kinds::BOOLEAN).or(Kinds::NUMBER);
    let dimensions = declaration.dimensions.iter().filter_map(|dimension| {
        let From::Path(path) = &dimension.from else {
            return None;
        };
        Some(Reads {
            path,
            kinds: scalars,
            document_type: None,
            at: dimension.at,
            name: format!("the dimension `{}`", dimension.name),
        })
    });
    let metrics = declaration.metrics.iter().map(|metric| Reads {
        path: &metric.path,
        kinds: kinds_of(metric),
        document_type: metric.document_type.as_deref(),
        at: metric.at,
        name: format!("the metric `{}`", metric.name),
    });
    client.chain(dimensions).chain(metrics).collect()
}

fn kinds_of(metric: &Metric) -> Kinds {
    match (metric.kind, metric.given_as) {
        (Type::Boolean, _) => Kinds::BOOLEAN,
        (Type::Counter | Type::Quantity | Type::Timespan, _) => Kinds::NUMBER,
        (Type::Text | Type::Datetime, _) => Kinds::TEXT,
        (Type::TextList, _) if metric.path.stars() > 0 => Kinds::LIST.or(Kinds::TEXT),
        (Type::TextList, _) => Kinds::LIST,
        (Type::Rate, _) => Kinds::OBJECT,
        (Type::TimingDistribution | Type::MemoryDistribution | Type::CustomDistribution, given_as) => {
            match given_as {
                GivenAs::Samples => Kinds::NUMBER.or(Kinds::LIST),
                GivenAs::Pairs => Kinds::LIST,
                GivenAs::Map | GivenAs::Arrays => Kinds::OBJECT,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(dimensions: &str, metrics: &str) -> String {
        let text = format!(
            "$highwater: product/1\nsources: [inky/a, inky/b]\nclient_id: {{ path: /id }}\ndimensions: {{ {dimensions} }}\nmetrics:\n{metrics}"
        );
        let faults = Declaration::read(&text).err().unwrap_or_default();
        assert!(Declaration::in_force(&text).is_ok(), "{text}");
        faults.iter().map(|fault| format!("{fault}\n")).collect()
    }

    fn metrics(lines: &[&str]) -> String {
        let lines = lines.iter().enumerate();
        let lines = lines.map(|(number, line)| format!("    m{number}: {{ {line} }}\n"));
        format!("  all:\n{}", lines.collect::<String>())
    }

    #[test]
    fn one_place_is_not_two_things() {
        for (lines, words) in [
            (
                ["type: quantity, path: /heat", "type: string, path: /heat"],
                "line 8, column 5: the metric `all.m1` reads `/heat` as a text, and the metric `all.m0` as a number",
            ),
            (
                ["type: boolean, path: /a", "type: counter, path: /a"],
                "`/a` as a number, and the metric `all.m0` as true or false",
            ),
            (
                ["type: rate, path: /a", "type: string_list, path: /a"],
                "`/a` as an array, and the metric `all.m0` as an object",
            ),
            (
                ["type: counter, path: /heat", "type: counter, path: /heat/x"],
                "line 8, column 5: the metric `all.m1` reads `/heat/x`, which lies inside `/heat`; that is a number for the metric `all.m0`, and would have to be an object",
            ),
            (
                [
                    "type: labeled_counter, path: \"/heat/*/x\"",
                    "type: string, path: /heat",
                ],
                "line 7, column 5: the metric `all.m0` reads `/heat/*/x`, which lies inside `/heat`; that is a text",
            ),
            (
                ["type: string_list, path: /a", "type: string, path: /a/b"],
                "that is an array for the metric `all.m0`, and would have to be an object",
            ),
            (
                ["type: counter, path: /id", "type: string, path: /b"],
                "`/id` as a number, and the client's id as a text",
            ),
        ] {
            let said = said("", &metrics(&lines));
            assert!(
                said.contains(words) && said.lines().count() == 1,
                "{lines:?}: {said}"
            );
        }
        let said = said("os: { path: /os }", &metrics(&["type: string, path: /os/name"]));
        assert!(
            said.contains("that is true or false or a number or a text for the dimension `os`"),
            "{said}"
        );
    }

    #[test]
    fn what_can_be_is_accepted() {
        for lines in [
            ["type: quantity, path: /a", "type: timing_distribution, path: /a"],
            ["type: string, path: /a", "type: datetime, path: /a"],
            // Other members may be other things.
            [
                "type: labeled_counter, path: \"/a/*\"",
                "type: labeled_string, path: \"/a/*\"",
            ],
            [
                "type: labeled_counter, path: \"/a/*\"",
                "type: labeled_counter, path: \"/a/*/x\"",
            ],
            [
                "type: labeled_counter, path: \"/a/*\"",
                "type: string, path: /a/b",
            ],
            ["type: string_list, path: /a", "type: string, path: /a/0"],
            ["type: rate, path: /a", "type: counter, path: /a/numerator"],
            [
                "type: custom_distribution, path: /a",
                "type: labeled_counter, path: \"/a/*\"",
            ],
            [
                "type: custom_distribution, path: /a, given_as: map",
                "type: counter, path: /a/7",
            ],
        ] {
            let said = said("name: { path: /a1 }, flag: { path: /id }", &metrics(&lines));
            assert_eq!(said, "", "{lines:?}");
        }
    }

    #[test]
    fn pings_of_two_document_types_may_be_two_things() {
        let metrics =
            "  a: { heat: { type: counter, path: /heat } }\n  b: { heat: { type: string, path: /heat } }\n";
        assert_eq!(said("", metrics), "");
    }
}
