//! A ping explained, and examples held against it.

use ping::SubmissionDate;

use super::{Explained, explain, unmet};
use crate::declaration::Declaration;
use crate::declared::Submitted;

const DECLARATION: &str = r#"
$highwater: product/1
sources: [inkpress/pages]
client_id: { path: /id }
dimensions:
  version: { path: /version, as: major }
  tenancy: { header: X-Tenancy }
  channel: { path: /channel, values: [steady, fast] }
metrics:
  pages:
    requests: { type: labeled_counter, path: "/requests/*" }
    warm_up: { type: timing_distribution, path: /warm_up_ms, unit: millisecond }
    sheet: { type: custom_distribution, path: /sheet, given_as: map }
    fonts: { type: string_list, path: /fonts }
    never: { type: counter, path: /never }
ignore: [/trace/*]
drop: [/host]
examples:
  - uri: /submit/inkpress/pages/1/c0b1f5d2-83a4-4e0b-b6a9-5f2d7e914c08
    body: { requests: { paper: 3 } }
    expect:
      - { metric: pages.requests, label: paper, sum: 3, samples: 1, version: UNKNOWN }
      - { metric: pages.requests, label: papre, sum: 3 }
      - { metric: pages.fonts, value: ps2 }
      - { channel: fast }
"#;

fn explained(body: &str) -> (Declaration, Explained) {
    let declaration = Declaration::read(DECLARATION).expect("a declaration");
    let submitted = Submitted {
        received: SubmissionDate::from_yyyymmdd(20_261_101).expect("a date"),
        header: &|name| (name == "x-tenancy").then_some("DE"),
        submission: None,
    };
    let explained = explain(&declaration, 0, body.as_bytes(), submitted).expect("a source");
    (declaration, explained)
}

#[test]
fn every_value_is_told_with_what_became_of_it() {
    let body = r#"{"id": "me", "version": "v2", "channel": "nightly", "requests": {"paper": 3, "tray": "often"},
        "warm_up_ms": [1.5, -1], "sheet": {"12": 2, "x": 1}, "fonts": ["ps2", "git", "ps2"], "trace": {"x": 1}, "host": "h",
        "free": [{"a": 1}, {"a": 2}]}"#;
    let (_, explained) = explained(body);
    let expected = r#"  client        me
  dimension     version = UNKNOWN
  dimension     tenancy = DE
  dimension     channel = OTHER
  counted       pages.fonts = "git"
  counted       pages.fonts = "ps2", 2 times
  counted       pages.requests[paper] = 3, in the bin from 3
  counted       pages.sheet: 2 samples, sum 24, bins 12:2
  counted       pages.warm_up: 1 sample, sum 1500000 ns, bins 1482910:1
  as UNKNOWN    version, /version: not_a_version (a version begins with digits), "v2"
  as OTHER      channel, /channel: value_not_declared (it is none of those declared), "nightly"
  left out      pages.requests, /requests/tray: wrong_type (it is of another type than its declaration says), "often"
  left out      pages.warm_up, /warm_up_ms/1: number_negative (this type is never negative), -1
  left out      pages.sheet, /sheet/x: bin_not_a_number (the bin is no number), "x": 1
  not stored    /host: "h"
  not declared  /free/*/a: 1
"#;
    assert_eq!(explained.to_string(), expected);
    assert_eq!(explained.absent.iter().collect::<Vec<_>>(), ["/never"]);
}

#[test]
fn what_an_example_expects_is_there_or_told() {
    let (declaration, explained) = explained(r#"{"requests": {"paper": 3}}"#);
    let said: Vec<_> = declaration.examples[0]
        .expect
        .iter()
        .map(|expected| unmet(expected, &explained))
        .collect();
    let words = |place: usize| said[place].clone().unwrap_or_default();
    assert_eq!(said[0], None);
    assert!(
        words(1).contains("did you mean the label `paper`?"),
        "{}",
        words(1)
    );
    assert_eq!(words(2), "pages.fonts counts nothing");
    assert_eq!(words(3), "channel is `UNKNOWN`, and `fast` is expected");
}

#[test]
fn a_body_that_cannot_be_read_says_so() {
    let (declaration, explained) = explained("{");
    assert_eq!(
        explained.to_string(),
        "  cannot be read: not JSON, or a number is out of range\n"
    );
    assert!(unmet(&declaration.examples[0].expect[0], &explained).is_some());
}
