//! The commands about declared products: `mapping check` and `product privacy`.

use std::fs;
use std::path::Path;

use tests::{Finished, run};

/// A declaration with an example.
const DECLARATION: &str = r#"$highwater: product/1
sources: [acme-cli/install, acme-cli/usage]
client_id: { path: /install_id }
dimensions:
  version: { path: /version, as: major }
metrics:
  install:
    plugins: { type: quantity, path: /plugins }
  usage:
    commands: { type: labeled_counter, path: "/commands/*" }
examples:
  - uri: /submit/acme-cli/install/1/7e2c2a0e-6f0e-4a57-9f0a-0d3c6f2b9a11
    body: { install_id: me, version: "2.4.1", plugins: 3 }
    expect:
      - { metric: install.plugins, sum: 3, version: "2" }
keep: { pings: 7d }
"#;

fn check(folder: &Path, declaration: &str, pings: &[(&str, &str)]) -> Finished {
    let file = folder.join("acme.yaml");
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
    let line = r#"{"uri": "/submit/acme-cli/usage/1/x", "submissionDate": "20261101", "body": {"version": "3.1", "commands": {"build": 3, "test": "often"}, "free": [1]}}"#;
    let pings = [("pings.ndjson", line), ("one.json", "{\n  \"plugins\": 12\n}\n")];
    let good = check(folder.path(), DECLARATION, &pings);
    assert!(good.success, "{}{}", good.stdout, good.stderr);
    for words in [
        "example 1 (acme-cli/install): all 1 expected are there",
        "pings.ndjson, line 1: acme-cli/usage",
        "dimension     version = 3",
        "usage.commands[build] = 3",
        "left out      usage.commands, /commands/test: wrong_type",
        "not declared  /free/*: 1",
        "one.json: acme-cli/install",
        "install.plugins = 12",
        "never there    acme-cli/usage: /install_id",
        "pings: 2 read, 0 that cannot be read",
    ] {
        assert!(good.stdout.contains(words), "{words} in {}", good.stdout);
    }
    let unreadable = check(folder.path(), DECLARATION, &[("cut.json", "{\"plugins\": 1")]);
    assert!(!unreadable.success && unreadable.stdout.contains("cannot be read: not JSON"));
    let other = DECLARATION.replace("sum: 3", "sum: 4");
    let other = check(folder.path(), &other, &[]);
    assert!(
        !other.success && other.stdout.contains("line 15: install.plugins counts otherwise"),
        "{}",
        other.stdout
    );
    let wrong = DECLARATION
        .replace("as: major", "as: majr")
        .replace("quantity", "quantty");
    let wrong = check(folder.path(), &wrong, &[]);
    assert!(!wrong.success && wrong.stdout.is_empty());
    for words in [
        "acme.yaml: line 5, column 34: unknown form `majr`: did you mean `major`?",
        "acme.yaml: line 8, column 22: unknown type `quantty`: did you mean `quantity`?",
    ] {
        assert!(wrong.stderr.contains(words), "{words} in {}", wrong.stderr);
    }
}

#[test]
fn a_declaration_says_what_it_promises_and_what_is_not_done_yet() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("acme.yaml");
    fs::write(&file, DECLARATION).expect("written");
    let said = run(&["product", "privacy", &file.display().to_string()]);
    assert!(said.success, "{}", said.stderr);
    for words in [
        "acme-cli/usage",
        "Pings: each is kept as it was sent, for 7 days.",
        "users are counted by a keyed hash of /install_id; the stored ping keeps the id at /install_id.",
        "does not yet count declared products",
    ] {
        assert!(said.stdout.contains(words), "{words} in {}", said.stdout);
    }
}
