//! `cargo lambda deploy` and `cargo lambda invoke`, as a person without the template would use them.

use std::process::Command;

use postgres_for_tests::Postgres;
use serde_json::{Value, json};
use tests::aws::{LocalStack, REGION, Tools, cargo_lambda};

#[test]
fn cargo_lambda_deploys_the_zip_and_invokes_it() {
    let Some(tools) = Tools::find_released() else {
        return;
    };
    let (Some(localstack), Some(postgres)) = (LocalStack::shared(), Postgres::start(&[])) else {
        return;
    };
    let program = cargo_lambda().expect("the zip was made by it");
    let folder = tempfile::tempdir().expect("a folder");
    let bootstrap = tools.bootstrap(folder.path()).display().to_string();
    let run = |arguments: &[&str]| {
        let finished = Command::new(&program)
            .arg("lambda")
            .args(arguments)
            .args(["--endpoint-url", &localstack.url(), "--region", REGION])
            .arg("by-hand")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo-lambda runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            finished.status.success(),
            "{arguments:?}\n{}\n{}\n{}",
            text(&finished.stdout),
            text(&finished.stderr),
            localstack.log()
        );
        text(&finished.stdout)
    };
    localstack.call(
        "s3",
        "create_bucket",
        &json!({
            "Bucket": "by-hand", "CreateBucketConfiguration": {"LocationConstraint": REGION}
        }),
    );
    let index = format!("HIGHWATER_INDEX={}", postgres.tcp_url(&postgres.database()));
    run(&[
        "deploy",
        "--binary-path",
        &bootstrap,
        "--iam-role",
        "arn:aws:iam::000000000000:role/indexer",
        "--timeout",
        "60",
        "--env-var",
        "HIGHWATER_STORE=s3://by-hand",
        "--env-var",
        &index,
    ]);
    localstack.wait("the function to be active", String::new, || {
        let found = localstack.call("lambda", "get_function", &json!({"FunctionName": "by-hand"}));
        found["Configuration"]["State"] == "Active"
    });
    let said = run(&[
        "invoke",
        "--remote",
        "--data-ascii",
        r#"{"highwater":"reconcile"}"#,
    ]);
    let answer: Value = serde_json::from_str(&said).expect("the function's answer");
    assert_eq!(
        (&answer["listed"], &answer["added"]),
        (&json!(0), &json!(0)),
        "{said}"
    );
}
