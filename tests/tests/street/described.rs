//! The API against its own description: a fuzzer asks what the description allows and what it does not, and holds every answer
//! against it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::three_products;

/// The seed of `HIGHWATER_SEED`; else the fuzzer draws one, and prints it.
fn seed() -> Vec<String> {
    let given = std::env::var("HIGHWATER_SEED");
    given.map_or_else(|_| Vec::new(), |seed| vec!["--seed".to_owned(), seed])
}

#[test]
fn every_answer_of_the_api_is_as_its_description_says() {
    let Ok(python) = std::env::var("HIGHWATER_PYTHON") else {
        return println!("left out: HIGHWATER_PYTHON names no Python that has the package schemathesis");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = three_products::counted(&folder.path().join("data"));
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("described");
    let api = format!("http://{}", pipeline.api);
    let finished = Command::new(python)
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(scripts.join("schemathesis.toml"))
        .args(["run", &format!("{api}/api/v1/openapi.json")])
        .args(seed())
        .env("PYTHONPATH", &scripts)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "known_names")
        .env("HIGHWATER_API", &api)
        .current_dir(folder.path())
        .output()
        .expect("Python runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&finished.stdout);
    println!("{said}");
    assert!(finished.status.success(), "{said}\n{}", text(&finished.stderr));
    // Where it was answered nothing, it held nothing against the description.
    let answered = said
        .lines()
        .find_map(|line| line.strip_prefix("answered with 200: "));
    let answered: Value = serde_json::from_str(answered.expect("a line of what was answered")).expect("JSON");
    for route in ["aggregates", "engagement", "metrics", "partitions", "values"] {
        let times = answered[format!("/api/v1/{route}")].as_u64();
        assert!(times > Some(4), "{route}: {answered}");
    }
    pipeline.terminate();
}
