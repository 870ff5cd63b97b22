//! The demo as a newcomer sees it: it counts what it sent, and its page moves in a real browser.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use tests::{Pipeline, highwater, run};

use crate::three_products;

/// A running demo, ended whatever happens.
struct Demo {
    child: Child,
    page: String,
    /// Kept open: a demo whose output nobody takes would end.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Demo {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(highwater())
            .args([
                "demo",
                "--edge-listen",
                "127.0.0.1:0",
                "--api-listen",
                "127.0.0.1:0",
                "--data-dir",
            ])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let mut lines = output.lines();
        let address = |line: String| {
            line.split_whitespace()
                .find(|word| word.starts_with("http://127.0.0.1:"))
                .map(str::to_owned)
        };
        let page = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(address)
            .expect("the demo prints the page's address");
        Self {
            child,
            page,
            _output: lines,
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Both fail only when it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where photographs of the page are kept.
fn photographs() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let photographs = tests.parent().expect("the project").join("target/photographs");
    std::fs::create_dir_all(&photographs).expect("made");
    photographs
}

#[test]
fn the_demo_counts_exactly_what_it_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    for _ in 0..2 {
        let arguments = [
            "demo",
            "--pings",
            "200",
            "--exit",
            "--edge-listen",
            "127.0.0.1:0",
            "--api-listen",
            "127.0.0.1:0",
            "--data-dir",
            &data,
        ];
        let finished = run(&arguments);
        assert!(finished.success, "{}\n{}", finished.stdout, finished.stderr);
        assert!(finished.stdout.contains("equal"), "{}", finished.stdout);
    }
}

#[test]
fn the_page_works_in_a_real_browser() {
    if Command::new("chromedriver").arg("--version").output().is_err() {
        println!("left out: chromedriver is not installed (`make test` installs it)");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(&folder.path().join("data"));
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let photographs = photographs();
    let finished = Command::new("python3")
        .arg(tests.join("page/browser_test.py"))
        .args(["--live", "--url", demo.page.trim_end_matches('/')])
        .arg("--out")
        .arg(&photographs)
        .output()
        .expect("python3 runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        finished.status.success(),
        "{}\n{}",
        text(&finished.stdout),
        text(&finished.stderr)
    );
}

/// Runs a script of `page/` in a real browser, and answers what it printed; nothing where there is no browser.
fn drive(script: &str, arguments: &[&str]) -> Option<String> {
    if Command::new("chromedriver").arg("--version").output().is_err() {
        eprintln!("left out: chromedriver is not installed (`make test` installs it)");
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("page").join(script);
    let finished = Command::new("python3")
        .arg(script)
        .args(arguments)
        .output()
        .expect("python3 runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        finished.status.success(),
        "{}\n{}",
        text(&finished.stdout),
        text(&finished.stderr)
    );
    Some(text(&finished.stdout))
}

#[test]
fn the_page_shows_data_that_nobody_wished_for_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    drive(
        "odd_data_test.py",
        &["--out", &folder.path().display().to_string()],
    );
}

#[test]
fn the_page_offers_and_shows_of_three_products_what_their_sources_have() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = three_products::counted(&folder.path().join("data"));
    let photographs = photographs();
    let api = format!("http://{}", pipeline.api);
    drive(
        "products_test.py",
        &["--url", &api, "--out", &photographs.display().to_string()],
    );
}

#[test]
fn a_page_of_another_origin_sends_pings_by_fetch_blob_and_beacon_and_each_arrives() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &[]);
    let (edge, api) = (
        format!("http://{}", pipeline.edge),
        format!("http://{}", pipeline.api),
    );
    let Some(printed) = drive("origins_test.py", &["--edge", &edge, "--api", &api]) else {
        return;
    };
    let printed: Value = serde_json::from_str(&printed).expect("JSON");
    // Beacons are sent when the browser likes.
    pipeline.wait_for("every ping that was sent", |status| {
        status["accepted"] == printed["sent"]
    });
}

#[test]
fn the_pages_arithmetic_holds() {
    if Command::new("node").arg("--version").output().is_err() {
        println!("left out: node is not installed (`make test` installs it)");
        return;
    }
    let test = Path::new(env!("CARGO_MANIFEST_DIR")).join("page/statistics.test.mjs");
    let finished = Command::new("node")
        .arg("--test")
        .arg(test)
        .output()
        .expect("node runs");
    assert!(
        finished.status.success(),
        "{}",
        String::from_utf8_lossy(&finished.stdout)
    );
}
