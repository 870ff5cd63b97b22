//! A test that measures its process: it is run again in a process of its own.

use std::env;
use std::process::Command;

/// Names the test that the process was started for.
const ALONE: &str = "HIGHWATER_TEST_ALONE";

#[expect(
    clippy::print_stdout,
    reason = "what the other process said is what this test says"
)]
/// Runs a test, whose path within this executable is `name`, where no other runs.
pub(crate) fn alone(name: &str, test: impl FnOnce()) {
    if env::var(ALONE).as_deref() == Ok(name) {
        return test();
    }
    let output = Command::new(env::current_exe().expect("this test has a path"))
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, name)
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    // Its lines are another harness's: they must not be taken for this one's.
    said.lines().for_each(|line| println!("    {line}"));
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{name}, alone, ended with {}:\n{said}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}
