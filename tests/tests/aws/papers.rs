//! The template, read without deploying it.

use std::process::Command;

use tests::aws::Tools;

#[test]
fn the_template_is_clean() {
    let Some(tools) = Tools::find() else {
        return;
    };
    let finished = tools.cfn_lint().output().expect("cfn-lint runs");
    let said = String::from_utf8_lossy(&finished.stdout);
    assert!(finished.status.success(), "{said}");
}

/// What each call of the code to AWS needs, and nothing else: `get_tail` and `head` read, `list` lists, the queue's three
/// are the event source's own.
#[test]
fn the_role_allows_what_the_indexer_calls_and_no_more() {
    let template =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/aws/template.yaml"));
    let template = template.expect("readable");
    let role = template.split("\n  IndexerRole:\n").nth(1).expect("a role");
    let role = role.split("\n\n").next().expect("its end");
    let mut allowed: Vec<&str> = role
        .split(|character: char| !(character.is_ascii_alphanumeric() || character == ':'))
        .filter(|word| {
            ["s3:", "sqs:", "logs:"]
                .iter()
                .any(|service| word.starts_with(service))
        })
        .collect();
    allowed.sort_unstable();
    let called = [
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
        "s3:ListBucket",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    ];
    assert_eq!(allowed, called);
}

/// One TLS, no zstd, no SQLite, no C++: what is not linked is not loaded at a cold start.
#[test]
fn the_lambda_links_one_tls_and_neither_zstd_nor_sqlite() {
    let listed = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--package",
            "lambda-indexer",
            "--features",
            "lambda",
        ])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let text = String::from_utf8(listed.stdout).expect("text");
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let names: std::collections::BTreeSet<&str> =
        text.lines().filter_map(|line| line.split(' ').next()).collect();
    for needed in ["aws-sdk-s3", "tokio-postgres", "lambda_runtime", "rustls", "ring"] {
        assert!(names.contains(needed), "the walk found no {needed}: {names:?}");
    }
    let unwanted = [
        "zstd",
        "zstd-sys",
        "rusqlite",
        "libsqlite3-sys",
        "openssl",
        "native-tls",
        "aws-lc-rs",
        "aws-lc-sys",
    ];
    for unwanted in unwanted {
        assert!(!names.contains(unwanted), "the Lambda would link {unwanted}");
    }
    // A crate that was listed before is marked by `(*)`.
    let versions: std::collections::BTreeSet<&str> = text
        .lines()
        .filter(|line| line.starts_with("rustls v"))
        .map(|line| line.trim_end_matches(" (*)"))
        .collect();
    assert_eq!(versions.len(), 1, "{versions:?}");
}
