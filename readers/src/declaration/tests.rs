//! What is declared, and what is refused with which words.

use super::{Clients, Declaration, Type, beside_glean, between};
use crate::definitions::Definitions;

/// A declaration that uses every key.
const WHOLE: &str = r#"
$highwater: product/1
sources: [inkpress/printer, inkpress/pages]
description: The inkpress spooler.
since: 2026-10-01
public: true
public_floor: 30
client_id: { path: /printer_id }
dimensions:
  version:    { path: /version, as: major }
  build_date: { path: /built, as: date }
  channel:    { path: /channel, values: [steady, fast, raw], default: steady }
  tenancy:    { header: X-Tenancy, description: by the proxy }
  ci:         { path: /ci }
metrics:
  printer:
    drawers:  { type: quantity, path: /drawers, layout: { exponential: [1, 1000, 30] } }
    driver:   { type: string, path: /driver, values: [ps2, pcl_6], max_length: 20 }
    fonts:    { type: string_list, path: /fonts }
    hits:     { type: rate, path: /hits }
  pages:
    requests: { type: labeled_counter, path: "/requests/*", labels: [paper, tray] }
    spooling: { type: labeled_timing_distribution, path: "/spooled/*/ms", unit: millisecond }
    sheet:    { type: custom_distribution, path: /sheet, given_as: map, layout: { linear: [0, 100, 12] } }
  all:
    memory:   { type: memory_distribution, path: /memory, unit: kilobyte, description: Resident. }
ignore: [/trace/*]
examples:
  - uri: /submit/inkpress/printer/1/c0b1f5d2-83a4-4e0b-b6a9-5f2d7e914c08
    headers: { X-Tenancy: DE }
    received: 2026-11-01
    body: { printer_id: "x", version: "3.0.7", drawers: 3, ci: false }
    expect:
      - { metric: printer.drawers, sum: 3, version: "3", ci: "false" }
      - { tenancy: DE }
keep: { pings: 7d, aggregates: 2y }
clients: hashed
drop: [/printer_id, /host]
by_source: { inkpress/pages: { clients: daily, keep: { pings: 1w } } }
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
        "printer.drawers",
        "printer.driver",
        "printer.fonts",
        "printer.hits",
        "pages.requests",
        "pages.spooling",
        "pages.sheet",
        "all.memory",
    ];
    assert_eq!(names, expected);
    let memory = &declaration.metrics[7];
    assert_eq!((memory.kind, memory.factor), (Type::MemoryDistribution, 1_024));
    assert!(memory.is_of(&declaration.sources[0]) && memory.is_of(&declaration.sources[1]));
    assert!(!declaration.metrics[0].is_of(&declaration.sources[1]));
    assert_eq!(
        declaration.metrics[3].parts(),
        ["printer.hits:numerator", "printer.hits:denominator"]
    );
    assert_eq!(
        declaration.since.map(|day| day.to_string()).as_deref(),
        Some("20261001")
    );
    assert_eq!((declaration.public, declaration.public_floor), (true, 30));
    let [printer, pages] = declaration.privacy.as_slice() else {
        panic!("one for each source");
    };
    assert_eq!(
        (printer.keep_pings, printer.keep_aggregates),
        (Some(7), Some(730))
    );
    assert_eq!((pages.keep_pings, pages.keep_aggregates), (Some(7), Some(730)));
    assert_eq!(
        (printer.clients, pages.clients),
        (Clients::Hashed, Clients::Daily)
    );
    assert_eq!(pages.drop.len(), 2);
    assert_eq!(
        declaration.examples[0].headers,
        [("x-tenancy".to_owned(), "DE".to_owned())]
    );
    assert_eq!(
        declaration.examples[0].expect[1].dimensions,
        [("tenancy".to_owned(), "DE".to_owned())]
    );
}

#[test]
fn the_least_that_a_declaration_says_is_its_sources() {
    let declaration = read("$highwater: product/1\nsources: [a/b]\n");
    assert_eq!(declaration.privacy[0].clients, Clients::Hashed);
}

/// A change of the whole declaration, and what is said of it.
const WRONG: [(&str, &str, &str); 46] = [
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
        "inkpress/printer,",
        "inkpress,",
        "line 3, column 11: `inkpress` is no source",
    ),
    (
        "inkpress/printer,",
        "Inky/printer,",
        "a namespace has lower-case letters",
    ),
    ("inkpress/printer,", "telemetry/main,", "read by Highwater itself"),
    (
        "inkpress/pages]",
        "inkpress/printer]",
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
        "{ path: /printer_id }",
        "/printer_id",
        "line 8, column 12: `client_id` is a text, and should be a table of keys",
    ),
    (
        "{ path: /printer_id }",
        "{ path: /ids/* }",
        "the client's id is one value a ping",
    ),
    (
        "{ path: /printer_id }",
        "{ path: printer_id }",
        "`printer_id` is no path: it begins with `/`, as `/printer_id` does",
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
        "a `path`, a `header` or a `uri`, not two of them",
    ),
    (
        "{ path: /ci }",
        "{}",
        "a dimension has no `path`, no `header` and no `uri`",
    ),
    (
        "{ path: /ci }",
        "{ uri: chanel }",
        "unknown part of a URI `chanel`: did you mean `channel`?",
    ),
    (
        "{ path: /ci }",
        "{ path: /ci/* }",
        "a dimension is one value a ping",
    ),
    (
        "default: steady",
        "default: staedy",
        "none of `values`: did you mean `steady`?",
    ),
    (
        "[steady, fast, raw]",
        "[steady, fast, fast]",
        "`fast` stands in `values` twice",
    ),
    ("[steady, fast, raw]", "[steady, 1.5]", "write it in quotes"),
    (
        "\n  pages:\n",
        "\n  pges:\n",
        "unknown document type below `metrics` `pges`: did you mean `pages`?",
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
        "path: \"/requests/*\"",
        "path: /requests",
        "a labeled metric needs a `*`",
    ),
    ("path: /drawers", "path: /drawers/*", "this type has one a ping"),
    (
        "unit: millisecond",
        "unit: miliseconds",
        "did you mean `millisecond`?",
    ),
    ("given_as: map", "given_as: mapp", "did you mean `map`?"),
    (
        "path: /fonts }",
        "path: /fonts, unit: s }",
        "`unit` means nothing here",
    ),
    (
        "path: /fonts }",
        "path: /fonts, labels: [s] }",
        "`labeled_` before the type",
    ),
    (
        "[/trace/*]",
        "[/spooled]",
        "`/spooled` is ignored, and the metric `pages.spooling` is read from `/spooled/*/ms`",
    ),
    (
        "drop: [/printer_id, /host]",
        "drop: [/fonts]",
        "so the metric `printer.fonts` could not be read",
    ),
    ("pings: 7d", "pings: 7months", "no length of time"),
    (
        "{ inkpress/pages: {",
        "{ inkpress/page: {",
        "unknown source `inkpress/page`: did you mean `inkpress/pages`?",
    ),
    (
        "metric: printer.drawers",
        "metric: printer.drawer",
        "unknown metric `printer.drawer`: did you mean `printer.drawers`?",
    ),
    (
        "metric: printer.drawers",
        "metric: \"\"",
        "line 34, column 19: `metric` names none: leave it out",
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
    let first = file("inky/a", "counter");
    let alike = file("inky/b", "counter");
    let stranger = file("other/a", "quantity");
    assert!(between(&[&first, &alike, &stranger]).is_empty());
    let other_type = file("inky/c", "quantity");
    let found = between(&[&first, &stranger, &other_type]);
    assert_eq!((found.len(), found[0].file, found[0].other), (1, 2, 0));
    assert!(
        found[0]
            .fault
            .to_string()
            .contains("`counter` there, `quantity` here")
    );
    let same_source = file("inky/a", "counter");
    let found = between(&[&first, &same_source]);
    assert_eq!(
        found[0].fault.to_string(),
        "line 2, column 11: `inky/a` is declared by another file"
    );
}

#[test]
fn a_metric_that_glean_defines_as_another_type_contradicts_it() {
    let glean = |kind: &str| {
        let text = format!(
            "$schema: moz://mozilla.org/schemas/glean/metrics/2-0-0\nprinter:\n  drawers:\n    type: {kind}\n    description: How many.\n    expires: never\n    unit: sheets\n"
        );
        Definitions::read(&text).unwrap_or_else(|faults| panic!("{faults:?}"))
    };
    let declaration = read(WHOLE);
    assert!(beside_glean(&declaration, &glean("quantity")).is_empty());
    let counted = read(&WHOLE.replacen("path: /drawers,", "path: /drawers, unit: trays,", 1));
    let found = beside_glean(&counted, &glean("quantity"));
    assert_eq!(
        found[0].to_string(),
        "line 17, column 5: `printer.drawers` is in `sheets` in Glean's definitions, and in `trays` here"
    );
    let found = beside_glean(&declaration, &glean("counter"));
    assert_eq!(
        found[0].to_string(),
        "line 17, column 5: `printer.drawers` is a `counter` in Glean's definitions, and a `quantity` here"
    );
}
