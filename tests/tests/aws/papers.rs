//! The templates, read without deploying them.

use std::collections::BTreeSet;
use std::process::Command;

use tests::aws::Tools;

#[test]
fn the_templates_are_clean() {
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
    let template = paper("template.yaml");
    let called = [
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
        "s3:ListBucket",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    ];
    assert_eq!(allowed(&template, "IndexerRole"), BTreeSet::from(called));
}

/// An edge puts chunks, in parts too, compares what is there already, and claims its starts; an aggregator reads; a query
/// server reads its release and nothing else. The log lines' three are the agent's that sends them.
#[test]
fn the_roles_allow_what_edges_aggregators_and_query_servers_call_and_no_more() {
    let services = paper("services.yaml");
    let logs = [
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
    ];
    let edge = [
        "ec2:AttachVolume",
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
    ];
    let aggregate = ["s3:GetObject", "s3:ListBucket", "secretsmanager:GetSecretValue"];
    let query = ["s3:GetObject", "secretsmanager:GetSecretValue"];
    for (role, called) in [
        ("EdgeRole", &edge[..]),
        ("AggregateRole", &aggregate[..]),
        ("QueryRole", &query[..]),
    ] {
        let called: BTreeSet<&str> = called.iter().chain(&logs).copied().collect();
        assert_eq!(allowed(&services, role), called, "{role}");
    }
    assert!(
        !role_in(&services, "QueryRole").contains("Store"),
        "chunks are nothing to a query server"
    );
}

#[test]
fn the_services_set_what_the_program_knows() {
    let known: String = ["edge", "aggregate", "query"]
        .map(|command| {
            let help = Command::new(tests::highwater())
                .args([command, "--help"])
                .output();
            String::from_utf8(help.expect("it runs").stdout).expect("text")
        })
        .concat();
    let set = paper("services.yaml") + &paper("instance.sh");
    let unknown: Vec<&str> = variables(&set).difference(&variables(&known)).copied().collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_costs_in_the_runbook_are_those_that_are_computed() {
    let Some(tools) = Tools::find() else {
        return;
    };
    let costs = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/aws/costs.py");
    let finished = tools.python().args([costs, "--check"]).output();
    let finished = finished.expect("Python runs");
    let said = String::from_utf8_lossy(&finished.stderr);
    assert!(finished.status.success(), "{said}");
}

fn paper(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/aws/");
    std::fs::read_to_string(format!("{folder}{name}")).expect("readable")
}

fn role_in<'a>(template: &'a str, name: &str) -> &'a str {
    let role = template.split(&format!("\n  {name}:\n")).nth(1).expect("a role");
    role.split("\n\n").next().expect("its end")
}

/// The actions that a role names.
fn allowed<'a>(template: &'a str, role: &str) -> BTreeSet<&'a str> {
    role_in(template, role)
        .split(|character: char| !(character.is_ascii_alphanumeric() || character == ':'))
        .filter(|word| {
            !word.ends_with(':')
                && ["s3:", "sqs:", "logs:", "ec2:", "secretsmanager:"]
                    .iter()
                    .any(|service| word.starts_with(service))
        })
        .collect()
}

fn variables(text: &str) -> BTreeSet<&str> {
    text.split(|character: char| !(character.is_ascii_uppercase() || character == '_'))
        .filter(|word| word.starts_with("HIGHWATER_"))
        .collect()
}

/// One TLS, no zstd, no SQLite, no C++, no client of SQS: what is not linked is not loaded at a cold start.
#[test]
fn the_lambda_links_one_tls_and_neither_zstd_nor_sqlite_nor_the_queues() {
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
    let names: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
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
        // The process takes its messages itself; AWS brings the Lambda its own.
        "aws-sdk-sqs",
    ];
    for unwanted in unwanted {
        assert!(!names.contains(unwanted), "the Lambda would link {unwanted}");
    }
    // A crate that was listed before is marked by `(*)`.
    let versions: BTreeSet<&str> = text
        .lines()
        .filter(|line| line.starts_with("rustls v"))
        .map(|line| line.trim_end_matches(" (*)"))
        .collect();
    assert_eq!(versions.len(), 1, "{versions:?}");
}
