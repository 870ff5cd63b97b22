//! A ping explained, and examples held against it.

use ping::SubmissionDate;

use super::{Explained, explain, unmet};
use crate::declaration::Declaration;
use crate::declared::Submitted;

const DECLARATION: &str = r#"
$highwater: product/1
sources: [acme-cli/usage]
client_id: { path: /id }
dimensions:
  version: { path: /version, as: major }
  country: { header: X-Country }
  channel: { path: /channel, values: [stable, beta] }
metrics:
  usage:
    commands: { type: labeled_counter, path: "/commands/*" }
    startup: { type: timing_distribution, path: /startup_ms, unit: millisecond }
    sizes: { type: custom_distribution, path: /sizes, given_as: map }
    tools: { type: string_list, path: /tools }
    never: { type: counter, path: /never }
ignore: [/debug/*]
drop: [/host]
examples:
  - uri: /submit/acme-cli/usage/1/7e2c2a0e-6f0e-4a57-9f0a-0d3c6f2b9a11
    body: { commands: { build: 3 } }
    expect:
      - { metric: usage.commands, label: build, sum: 3, samples: 1, version: UNKNOWN }
      - { metric: usage.commands, label: biuld, sum: 3 }
      - { metric: usage.tools, value: vim }
      - { channel: beta }
"#;

fn explained(body: &str) -> (Declaration, Explained) {
    let declaration = Declaration::read(DECLARATION).expect("a declaration");
    let submitted = Submitted {
        received: SubmissionDate::from_yyyymmdd(20_261_101).expect("a date"),
        header: &|name| (name == "x-country").then_some("DE"),
    };
    let explained = explain(&declaration, 0, body.as_bytes(), submitted).expect("a source");
    (declaration, explained)
}

#[test]
fn every_value_is_told_with_what_became_of_it() {
    let body = r#"{"id": "me", "version": "v2", "channel": "nightly", "commands": {"build": 3, "test": "often"},
        "startup_ms": [1.5, -1], "sizes": {"12": 2, "x": 1}, "tools": ["vim", "git", "vim"], "debug": {"x": 1}, "host": "h",
        "free": [{"a": 1}, {"a": 2}]}"#;
    let (_, explained) = explained(body);
    let expected = r#"  client        me
  dimension     version = UNKNOWN
  dimension     country = DE
  dimension     channel = OTHER
  counted       usage.commands[build] = 3, in the bin from 3
  counted       usage.sizes: 2 samples, sum 24, bins 12:2
  counted       usage.startup: 1 sample, sum 1500000 ns, bins 1482910:1
  counted       usage.tools = "git"
  counted       usage.tools = "vim", 2 times
  as UNKNOWN    version, /version: not_a_version (a version begins with digits), "v2"
  as OTHER      channel, /channel: value_not_declared (it is none of those declared), "nightly"
  left out      usage.commands, /commands/test: wrong_type (it is of another type than its declaration says), "often"
  left out      usage.startup, /startup_ms/1: number_negative (this type is never negative), -1
  left out      usage.sizes, /sizes/x: bin_not_a_number (the bin is no number), "x": 1
  not declared  /free/*/a: 1
"#;
    assert_eq!(explained.to_string(), expected);
    assert_eq!(explained.absent.iter().collect::<Vec<_>>(), ["/never"]);
}

#[test]
fn what_an_example_expects_is_there_or_told() {
    let (declaration, explained) = explained(r#"{"commands": {"build": 3}}"#);
    let said: Vec<_> = declaration.examples[0]
        .expect
        .iter()
        .map(|expected| unmet(expected, &explained))
        .collect();
    let words = |place: usize| said[place].clone().unwrap_or_default();
    assert_eq!(said[0], None);
    assert!(
        words(1).contains("did you mean the label `build`?"),
        "{}",
        words(1)
    );
    assert_eq!(words(2), "usage.tools counts nothing");
    assert_eq!(words(3), "channel is `UNKNOWN`, and `beta` is expected");
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
