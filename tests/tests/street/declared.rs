//! The requests about declared products: `mapping check` and `product privacy`.

use std::fs;
use std::path::Path;

use tests::{Finished, run};

/// A declaration with an example.
const DECLARATION: &str = r#"$highwater: product/1
sources: [inkpress/printer, inkpress/pages]
client_id: { path: /printer_id }
dimensions:
  version: { path: /version, as: major }
metrics:
  printer:
    drawers: { type: quantity, path: /drawers }
  pages:
    requests: { type: labeled_counter, path: "/requests/*" }
examples:
  - uri: /submit/inkpress/printer/1/c0b1f5d2-83a4-4e0b-b6a9-5f2d7e914c08
    body: { printer_id: me, version: "3.0.7", drawers: 3 }
    expect:
      - { metric: printer.drawers, sum: 3, version: "3" }
keep: { pings: 7d }
"#;

fn check(folder: &Path, declaration: &str, pings: &[(&str, &str)]) -> Finished {
    let file = folder.join("inky.yaml");
    fs::write(&file, declaration).expect("written");
    let mut arguments = vec![
        "mapping".to_owned(),
        "check".to_owned(),
        file.display().to_string(),
    ];
    for (name, text) in pings {
        let path = folder.join(name);
        fs::write(&path, text).expect("written");
        arguments.push(path.display().to_string());
    }
    run(&arguments)
}

#[test]
fn a_checked_declaration_shows_what_pings_become_and_fails_where_it_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = r#"{"uri": "/submit/inkpress/pages/1/x", "submissionDate": "20261101", "body": {"version": "3.1", "requests": {"paper": 3, "tray": "often"}, "free": [1]}}"#;
    let pings = [("pings.ndjson", line), ("one.json", "{\n  \"drawers\": 12\n}\n")];
    let good = check(folder.path(), DECLARATION, &pings);
    assert!(good.success, "{}{}", good.stdout, good.stderr);
    for words in [
        "example 1 (inkpress/printer): all 1 expected are there",
        "pings.ndjson, line 1: inkpress/pages",
        "dimension     version = 3",
        "pages.requests[paper] = 3",
        "left out      pages.requests, /requests/tray: wrong_type",
        "not declared  /free/*: 1",
        "one.json: inkpress/printer",
        "printer.drawers = 12",
        "never there    inkpress/pages: /printer_id",
        "pings: 2 read, 0 that cannot be read",
    ] {
        assert!(good.stdout.contains(words), "{words} in {}", good.stdout);
    }
    let unreadable = check(folder.path(), DECLARATION, &[("cut.json", "{\"drawers\": 1")]);
    assert!(!unreadable.success && unreadable.stdout.contains("cannot be read: not JSON"));
    let other = DECLARATION.replace("sum: 3", "sum: 4");
    let other = check(folder.path(), &other, &[]);
    assert!(
        !other.success && other.stdout.contains("line 15: printer.drawers counts otherwise"),
        "{}",
        other.stdout
    );
    let wrong = DECLARATION
        .replace("as: major", "as: majr")
        .replace("quantity", "quantty");
    let wrong = check(folder.path(), &wrong, &[]);
    assert!(!wrong.success && wrong.stdout.is_empty());
    for words in [
        "inky.yaml: line 5, column 34: unknown form `majr`: did you mean `major`?",
        "inky.yaml: line 8, column 22: unknown type `quantty`: did you mean `quantity`?",
    ] {
        assert!(wrong.stderr.contains(words), "{words} in {}", wrong.stderr);
    }
}

#[test]
fn an_identifier_in_a_dimension_is_told_with_its_place_and_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = DECLARATION.replace("metrics:", "  site: { path: /site/name }\nmetrics:");
    let ping = r#"{"drawers": 1, "site": {"name": "550e8400-e29b-41d4-a716-446655440000"}}"#;
    let told = check(folder.path(), &open, &[("one.json", ping)]);
    assert!(told.success, "{}{}", told.stdout, told.stderr);
    for words in [
        "dimension     site = OTHER",
        "as OTHER      site, /site/name: looks_like_an_id (it has the shape of an identifier",
        "goes into `values`), \"550e8400-e29b-41d4-a716-446655440000\"",
    ] {
        assert!(told.stdout.contains(words), "{words} in {}", told.stdout);
    }
}

#[test]
fn what_serve_would_refuse_fails_the_check_of_a_products_own_tests() {
    let folder = tempfile::tempdir().expect("a folder");
    let header = DECLARATION.replace("metrics:", "  country: { header: X-Country }\nmetrics:");
    let refused = check(folder.path(), &header, &[]);
    assert!(!refused.success, "{}", refused.stdout);
    let words = "refused by --products: dimension `country`";
    assert!(refused.stdout.contains(words), "{}", refused.stdout);
}

#[test]
fn a_declaration_says_what_it_promises() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("inky.yaml");
    fs::write(&file, DECLARATION).expect("written");
    let said = run(&["product", "privacy", &file.display().to_string()]);
    assert!(said.success, "{}", said.stderr);
    for words in [
        "inkpress/pages",
        "Pings: each is kept as it was sent, for 7 days, or less where the installation keeps everything for less. Then they are deleted",
        "users are counted in sketches, in which no id stands; the stored ping keeps the id at /printer_id.",
    ] {
        assert!(said.stdout.contains(words), "{words} in {}", said.stdout);
    }
}
