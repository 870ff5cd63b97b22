//! What has the shape of an identifier: against the slow look, and in dimensions.

use ping::{OTHER, SubmissionDate};
use proptest::prelude::*;

use crate::declaration::Declaration;
use crate::declared::oracle::identifiers::looks_like_one;
use crate::declared::oracle::{Recorder, Told};
use crate::declared::{Edition, Reader, Room, Submitted};
use crate::identifier::is_identifier;
use crate::values::Rule;

/// Texts near every border of a shape.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-fA-F]{14,34}",
        "[0-9]{30,33}",
        "[{]?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-fx]{12}[}]?",
        "[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}[:-][0-9a-f]{2}",
        "[a-z.:/ ]{0,3}@?[a-z0-9-]{0,4}[.@][a-z0-9.]{0,6}",
        "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,2}\\.[0-9]{1,3}(:[0-9]{0,6})?",
        "\\[?([0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(%[a-z]{1,4})?(\\]:[0-9]{1,5})?",
        "(v?[0-9]?\\.?[0-9]?[.+_-])?[A-Za-z0-9]{17,26}",
        "[A-Z][a-z]{2,7}[0-9]{1,2}[A-Z][a-z]{2,7}[0-9A-Z]{3,9}",
        "[A-Za-z0-9]{12,22}[_-][A-Za-z0-9ä]{12,22}",
        ".{0,40}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn shapes_are_seen_as_the_slow_look_sees_them(text in text(), is_version: bool) {
        prop_assert_eq!(is_identifier(&text, is_version), looks_like_one(&text, is_version), "{}", text);
    }
}

const DECLARATION: &str = r#"
$highwater: product/1
sources: [inky/a]
dimensions:
  os:          { path: /os }
  small:       { path: /os, as: lower }
  one_of_ours: { path: /os, values: [9774d56d682e549c] }
  site:        { path: /os, as: host }
  address:     { header: X-From }
  os_version:  { header: X-From }
"#;

fn read(edition: Edition, os: &str, from: &str) -> Told {
    let declaration = Declaration::read(DECLARATION).expect("a declaration");
    let reader = Reader::by(&declaration, 0, edition).expect("a source");
    let mut recorder = Recorder::of(&reader);
    let submitted = Submitted {
        received: SubmissionDate::from_yyyymmdd(20_261_101).expect("a date"),
        header: &|_| Some(from),
        submission: None,
    };
    let body = serde_json::json!({ "os": os }).to_string();
    let read = reader.read(body.as_bytes(), submitted, &mut Room::default(), &mut recorder);
    read.expect("read");
    recorder.told
}

#[test]
fn an_identifier_in_a_dimension_is_other_and_told_unless_values_name_it() {
    let told = read(Edition::NEWEST, "9774d56d682e549c", "10.0.0.7");
    for (dimension, value) in [
        ("os", OTHER),
        ("small", OTHER),
        ("one_of_ours", "9774d56d682e549c"),
        ("address", OTHER),
        ("os_version", "10.0.0.7"),
    ] {
        assert_eq!(told.dimensions[dimension], value, "{dimension}");
    }
    let noted: Vec<_> = told
        .notes
        .keys()
        .filter(|(_, rule)| *rule == Rule::LooksLikeAnId)
        .collect();
    assert_eq!(noted.len(), 3, "{noted:?}");
    let told = read(Edition::NEWEST, "https://ann@9774d56d682e549c.example.org/", "DE");
    assert_eq!(told.dimensions["site"], "9774d56d682e549c.example.org");
}

#[test]
fn by_the_first_rules_every_text_counts() {
    let told = read(Edition::First, "9774d56d682e549c", "10.0.0.7");
    assert_eq!(told.dimensions["os"], "9774d56d682e549c");
    assert_eq!(told.dimensions["address"], "10.0.0.7");
}
