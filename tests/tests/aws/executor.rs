//! The executor by which LocalStack runs functions, without LocalStack around it.

use std::path::Path;

use tests::aws::Tools;

#[test]
fn functions_run_as_processes_that_are_replaced_when_they_crash_or_hang() {
    let Some(tools) = Tools::find() else {
        return;
    };
    let test = Path::new(env!("CARGO_MANIFEST_DIR")).join("localstack/executor_test.py");
    let finished = tools.python().arg(test).output().expect("Python runs");
    let said = String::from_utf8_lossy(&finished.stderr);
    assert!(finished.status.success(), "{said}");
}
