//! What is declared, and what is refused with which words.

use super::{Clients, Declaration, Type, beside_glean, between};
use crate::definitions::Definitions;

/// A declaration that uses every key.
const WHOLE: &str = r#"
$highwater: product/1
sources: [acme-cli/install, acme-cli/usage]
description: The acme command line.
since: 2026-10-01
public: true
public_floor: 30
client_id: { path: /install_id }
dimensions:
  version:    { path: /version, as: major }
  build_date: { path: /built, as: date }
  channel:    { path: /channel, values: [stable, beta, dev], default: stable }
  country:    { header: X-Country, description: by the proxy }
  ci:         { path: /ci }
metrics:
  install:
    plugins:  { type: quantity, path: /plugins, layout: { exponential: [1, 1000, 30] } }
    editor:   { type: string, path: /editor, values: [vim, emacs], max_length: 20 }
    tools:    { type: string_list, path: /tools }
    hits:     { type: rate, path: /hits }
  usage:
    commands: { type: labeled_counter, path: "/commands/*", labels: [build, test] }
    duration: { type: labeled_timing_distribution, path: "/timings/*/ms", unit: millisecond }
    sizes:    { type: custom_distribution, path: /sizes, given_as: map, layout: { linear: [0, 100, 12] } }
  all:
    memory:   { type: memory_distribution, path: /memory, unit: kilobyte, description: Resident. }
ignore: [/debug/*]
examples:
  - uri: /submit/acme-cli/install/1/7e2c2a0e-6f0e-4a57-9f0a-0d3c6f2b9a11
    headers: { X-Country: DE }
    received: 2026-11-01
    body: { install_id: "x", version: "2.4.1", plugins: 3, ci: false }
    expect:
      - { metric: install.plugins, sum: 3, version: "2", ci: "false" }
      - { country: DE }
keep: { pings: 7d, aggregates: 2y }
clients: hashed
drop: [/install_id, /host]
by_source: { acme-cli/usage: { clients: daily, keep: { pings: 1w } } }
"#;

fn read(text: &str) -> Declaration {
    Declaration::read(text).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"))
}

fn refused(text: &str) -> String {
    let faults = Declaration::read(text).err().unwrap_or_default();
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

#[test]
fn a_declaration_says_all_that_it_can_say() {
    let declaration = read(WHOLE);
    let names: Vec<_> = declaration
        .metrics
        .iter()
        .map(|metric| metric.name.as_str())
        .collect();
    let expected = [
        "install.plugins",
        "install.editor",
        "install.tools",
        "install.hits",
        "usage.commands",
        "usage.duration",
        "usage.sizes",
        "all.memory",
    ];
    assert_eq!(names, expected);
    let memory = &declaration.metrics[7];
    assert_eq!((memory.kind, memory.factor), (Type::MemoryDistribution, 1_024));
    assert!(memory.is_of(&declaration.sources[0]) && memory.is_of(&declaration.sources[1]));
    assert!(!declaration.metrics[0].is_of(&declaration.sources[1]));
    assert_eq!(
        declaration.metrics[3].parts(),
        ["install.hits:numerator", "install.hits:denominator"]
    );
    assert_eq!(
        declaration.since.map(|day| day.to_string()).as_deref(),
        Some("20261001")
    );
    assert_eq!((declaration.public, declaration.public_floor), (true, 30));
    let [install, usage] = declaration.privacy.as_slice() else {
        panic!("one for each source");
    };
    assert_eq!(
        (install.keep_pings, install.keep_aggregates),
        (Some(7), Some(730))
    );
    assert_eq!((usage.keep_pings, usage.keep_aggregates), (Some(7), Some(730)));
    assert_eq!(
        (install.clients, usage.clients),
        (Clients::Hashed, Clients::Daily)
    );
    assert_eq!(usage.drop.len(), 2);
    assert_eq!(
        declaration.examples[0].headers,
        [("x-country".to_owned(), "DE".to_owned())]
    );
    assert_eq!(
        declaration.examples[0].expect[1].dimensions,
        [("country".to_owned(), "DE".to_owned())]
    );
}

#[test]
fn the_least_that_a_declaration_says_is_its_sources() {
    let declaration = read("$highwater: product/1\nsources: [a/b]\n");
    assert_eq!(declaration.privacy[0].clients, Clients::Hashed);
}

/// A change of the whole declaration, and what is said of it.
const WRONG: [(&str, &str, &str); 44] = [
    (
        "product/1",
        "product/2",
        "line 2, column 13: this program reads the form `product/1`",
    ),
    ("$highwater: product/1\n", "", "a declaration has no `$highwater`"),
    (
        "description: The",
        "descripton: The",
        "line 4, column 1: unknown key of a declaration `descripton`: did you mean `description`?",
    ),
    (
        "acme-cli/install,",
        "acme-cli,",
        "line 3, column 11: `acme-cli` is no source",
    ),
    (
        "acme-cli/install,",
        "Acme/install,",
        "a namespace has lower-case letters",
    ),
    ("acme-cli/install,", "telemetry/main,", "read by Highwater itself"),
    (
        "acme-cli/usage]",
        "acme-cli/install]",
        "stands in `sources` twice",
    ),
    (
        "2026-10-01",
        "2026-13-01",
        "line 5, column 8: a day is written as 2026-10-01",
    ),
    (
        "public: true",
        "public: 1",
        "line 6, column 9: `public` is a number, and should be true or false",
    ),
    ("public_floor: 30", "public_floor: 0", "should be 1 to"),
    (
        "{ path: /install_id }",
        "/install_id",
        "line 8, column 12: `client_id` is a text, and should be a table of keys",
    ),
    (
        "{ path: /install_id }",
        "{ path: /ids/* }",
        "the client's id is one value a ping",
    ),
    (
        "{ path: /install_id }",
        "{ path: install_id }",
        "`install_id` is no path: it begins with `/`, as `/install_id` does",
    ),
    (
        "  version:  ",
        "  label:    ",
        "line 10, column 3: `label` means something else",
    ),
    (
        "  version:  ",
        "  submission_date:  ",
        "`submission_date` means something else",
    ),
    (
        "  version:  ",
        "  percentiles: ",
        "`percentiles` means something else",
    ),
    (
        "  version:  ",
        "  Version:  ",
        "`Version` is no name of a dimension",
    ),
    (
        "as: major }",
        "as: majr }",
        "line 10, column 37: unknown form `majr`: did you mean `major`?",
    ),
    (
        "{ path: /ci }",
        "{ pth: /ci }",
        "unknown key of a dimension `pth`: did you mean `path`?",
    ),
    (
        "{ path: /ci }",
        "{ path: /ci, header: X }",
        "a `path` or a `header`, not both",
    ),
    (
        "{ path: /ci }",
        "{}",
        "a dimension has no `path`, and no `header`",
    ),
    (
        "{ path: /ci }",
        "{ path: /ci/* }",
        "a dimension is one value a ping",
    ),
    (
        "default: stable",
        "default: stabel",
        "none of `values`: did you mean `stable`?",
    ),
    (
        "[stable, beta, dev]",
        "[stable, beta, beta]",
        "`beta` stands in `values` twice",
    ),
    ("[stable, beta, dev]", "[stable, 1.5]", "write it in quotes"),
    (
        "\n  usage:\n",
        "\n  usge:\n",
        "unknown document type below `metrics` `usge`: did you mean `usage`?",
    ),
    (
        "type: quantity",
        "type: quantty",
        "line 17, column 23: unknown type `quantty`: did you mean `quantity`?",
    ),
    (
        "type: labeled_counter",
        "type: labelled_counter",
        "did you mean `labeled_counter`?",
    ),
    ("type: quantity, ", "", "a metric has no `type`"),
    (
        "exponential: [1, 1000, 30]",
        "exponental: [1, 1000, 30]",
        "did you mean `exponential`?",
    ),
    (
        "exponential: [1, 1000, 30]",
        "exponential: [1, 1000]",
        "bins are [lower bound",
    ),
    (
        "exponential: [1, 1000, 30]",
        "exponential: [1, 1000, 20000]",
        "bins are [lower bound",
    ),
    (
        "exponential: [1, 1000, 30]",
        "functional: [2, 1000]",
        "at most 64 bins",
    ),
    (
        "path: \"/commands/*\"",
        "path: /commands",
        "a labeled metric needs a `*`",
    ),
    ("path: /plugins", "path: /plugins/*", "this type has one a ping"),
    (
        "unit: millisecond",
        "unit: miliseconds",
        "did you mean `millisecond`?",
    ),
    ("given_as: map", "given_as: mapp", "did you mean `map`?"),
    (
        "path: /tools }",
        "path: /tools, unit: s }",
        "`unit` means nothing here",
    ),
    (
        "path: /tools }",
        "path: /tools, labels: [s] }",
        "`labeled_` before the type",
    ),
    (
        "[/debug/*]",
        "[/timings]",
        "`/timings` is ignored, and the metric `usage.duration` is read from `/timings/*/ms`",
    ),
    (
        "drop: [/install_id, /host]",
        "drop: [/tools]",
        "so the metric `install.tools` could not be read",
    ),
    ("pings: 7d", "pings: 7months", "no length of time"),
    (
        "{ acme-cli/usage: {",
        "{ acme-cli/usag: {",
        "unknown source `acme-cli/usag`: did you mean `acme-cli/usage`?",
    ),
    (
        "metric: install.plugins",
        "metric: install.plugin",
        "unknown metric `install.plugin`: did you mean `install.plugins`?",
    ),
];

#[test]
fn what_is_wrong_is_refused_with_its_place_and_the_word_that_was_meant() {
    for (right, wrong, words) in WRONG {
        assert!(WHOLE.contains(right), "{right}");
        let said = refused(&WHOLE.replacen(right, wrong, 1));
        assert!(
            said.contains(words),
            "{right} -> {wrong}: expected {words}, got {said}"
        );
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let text = WHOLE
        .replace("as: major", "as: majr")
        .replace("type: rate", "type: rat");
    assert_eq!(refused(&text).lines().count(), 2, "{}", refused(&text));
}

#[test]
fn daily_hashes_need_an_id() {
    let said = refused("$highwater: product/1\nsources: [a/b]\nclients: daily\n");
    assert!(
        said.contains("line 3, column 1: `clients: daily` without a `client_id`"),
        "{said}"
    );
}

#[test]
fn files_that_name_one_source_or_one_metric_in_two_ways_contradict_each_other() {
    let file = |source: &str, kind: &str| {
        read(&format!(
            "$highwater: product/1\nsources: [{source}]\nmetrics: {{ all: {{ size: {{ type: {kind}, path: /size }} }} }}\n"
        ))
    };
    let first = file("acme/a", "counter");
    let alike = file("acme/b", "counter");
    let stranger = file("other/a", "quantity");
    assert!(between(&[&first, &alike, &stranger]).is_empty());
    let other_type = file("acme/c", "quantity");
    let found = between(&[&first, &stranger, &other_type]);
    assert_eq!((found.len(), found[0].file, found[0].other), (1, 2, 0));
    assert!(
        found[0]
            .fault
            .to_string()
            .contains("`counter` there, `quantity` here")
    );
    let same_source = file("acme/a", "counter");
    let found = between(&[&first, &same_source]);
    assert_eq!(
        found[0].fault.to_string(),
        "line 2, column 11: `acme/a` is declared by another file"
    );
}

#[test]
fn a_metric_that_glean_defines_as_another_type_contradicts_it() {
    let glean = |kind: &str| {
        let text = format!(
            "$schema: moz://mozilla.org/schemas/glean/metrics/2-0-0\ninstall:\n  plugins:\n    type: {kind}\n    description: How many.\n    expires: never\n    unit: plugins\n"
        );
        Definitions::read(&text).unwrap_or_else(|faults| panic!("{faults:?}"))
    };
    let declaration = read(WHOLE);
    assert!(beside_glean(&declaration, &glean("quantity")).is_empty());
    let found = beside_glean(&declaration, &glean("counter"));
    assert_eq!(
        found[0].to_string(),
        "line 17, column 5: `install.plugins` is a `counter` in Glean's definitions, and a `quantity` here"
    );
}
