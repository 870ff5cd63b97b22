//! The commands: import, pings, rebuild, dump, chunk, status, reconcile, and what they say when something is wrong.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};
use tests::{Pipeline, SmallPing, free_address, gzip, run};

use crate::ask::{command, lose_index, status_of, well};

fn line(number: u64, day: &str, change: impl Fn(&mut SmallPing)) -> String {
    let mut ping = SmallPing::numbered(number);
    change(&mut ping);
    format!(
        "{}\n",
        json!({"submissionDate": day, "uri": ping.uri(), "body": ping.json()})
    )
}

#[test]
fn an_import_takes_good_lines_reports_bad_ones_and_adds_nothing_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let text = format!(
        "{}not json\n{}{{\"submissionDate\": \"20170230\", \"uri\": \"/submit/telemetry/x\", \"body\": {{}}}}\n",
        line(1, "20170130", |_| ()),
        line(2, "20170131", |_| ())
    );
    let plain = folder.path().join("plain.ndjson");
    fs::write(&plain, &text).expect("written");
    let first = command(&data, "import", &[&plain.display().to_string()]);
    assert!(
        first.stderr.contains("line 2") && first.stderr.contains("line 4"),
        "{}",
        first.stderr
    );
    assert_eq!(status_of(&data)["folded"], 2);
    for _ in 0..2 {
        command(&data, "import", &[&plain.display().to_string()]);
        let status = status_of(&data);
        assert_eq!(
            (&status["accepted"], &status["folded"], &status["repeated"]),
            (&json!(2), &json!(2), &json!(0)),
            "{status}"
        );
    }
    let packed = folder.path().join("packed.ndjson.gz");
    fs::write(&packed, gzip(line(3, "20170131", |_| ()).as_bytes())).expect("written");
    let other = folder.path().join("other.ndjson.zst");
    let compressed = zstd::encode_all(line(4, "20170131", |_| ()).as_bytes(), 3).expect("packed");
    fs::File::create(&other)
        .and_then(|mut file| file.write_all(&compressed))
        .expect("written");
    well(command(
        &data,
        "import",
        &[&packed.display().to_string(), &other.display().to_string()],
    ));
    assert_eq!(status_of(&data)["folded"], 4);
}

#[test]
fn a_line_of_an_import_whose_body_is_no_json_is_an_errored_ping_kept_as_it_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let (good, uri) = (line(1, "20170130", |_| ()), SmallPing::numbered(2).uri());
    let body = r#"{"payload": {nothing is quoted here: [1, 2,]}}"#;
    let broken = format!("{{\"submissionDate\":\"20170130\",\"uri\":\"{uri}\",\"body\":{body}}}\n");
    let file = folder.path().join("file.ndjson");
    fs::write(&file, good + &broken).expect("written");
    let said = command(&data, "import", &[&file.display().to_string()]).stderr;
    assert!(
        said.contains("2 pings taken") && said.contains("0 bad lines"),
        "{said}"
    );
    let status = status_of(&data);
    assert_eq!(
        (&status["folded"], &status["errored_pings"]),
        (&json!(1), &json!(1)),
        "{status}"
    );
    let printed = well(command(&data, "pings", &["--errors"]));
    let errored: Value = serde_json::from_str(printed.trim()).expect("one line of JSON");
    // The body in base64, as any other that is no JSON.
    assert_eq!(
        errored["body"],
        "eyJwYXlsb2FkIjoge25vdGhpbmcgaXMgcXVvdGVkIGhlcmU6IFsxLCAyLF19fQ=="
    );
}

#[test]
fn an_import_beside_a_running_serve_goes_through_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &[]);
    let file = folder.path().join("file.ndjson");
    fs::write(
        &file,
        (0..50)
            .map(|number| line(number, "20170130", |_| ()))
            .collect::<String>(),
    )
    .expect("written");
    well(command(&data, "import", &[&file.display().to_string()]));
    let status = pipeline.wait_until_settled();
    assert_eq!(
        (&status["accepted"], &status["folded"]),
        (&json!(50), &json!(50)),
        "{status}"
    );
}

#[test]
fn pings_prints_exactly_the_selected_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let file = folder.path().join("file.ndjson");
    let mut text = String::new();
    for number in 0..40_u64 {
        let day = ["20170129", "20170130", "20170131", "20170201"][(number % 4) as usize];
        text += &line(number, day, |ping| {
            ping.version = ["54.0a1", "54.0", "5.4", "540.0"][(number / 4 % 4) as usize].to_owned();
            ping.channel = ["nightly", "beta"][(number % 2) as usize].to_owned();
            ping.build_id = format!("2017010{}030205", number % 3);
        });
    }
    fs::write(&file, &text).expect("written");
    well(command(&data, "import", &[&file.display().to_string()]));
    let printed = |more: &[&str]| -> Vec<Value> {
        let text = well(command(&data, "pings", more));
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    };
    let all = printed(&[]);
    assert_eq!(all.len(), 40);
    let meta = &all[0]["meta"];
    for key in [
        "submissionDate",
        "documentId",
        "docType",
        "appName",
        "appVersion",
        "appUpdateChannel",
        "appBuildId",
        "sourceName",
        "sourceVersion",
        "clientId",
        "sampleId",
        "normalizedChannel",
        "os",
        "creationTimestamp",
        "uri",
        "recordId",
    ] {
        assert!(!meta[key].is_null(), "meta lacks {key}: {meta}");
    }
    assert_eq!(
        all[0]["payload"],
        SmallPing::numbered(0).json()["payload"],
        "the body is the ping's own"
    );
    let among = |key: &str, accept: &dyn Fn(&str) -> bool| {
        all.iter()
            .filter(|ping| accept(ping["meta"][key].as_str().unwrap_or_default()))
            .count()
    };
    assert_eq!(
        printed(&["--version", "54"]).len(),
        among("appVersion", &|v| v == "54" || v.starts_with("54."))
    );
    assert_eq!(
        printed(&["--version", "54.0"]).len(),
        among("appVersion", &|v| v == "54.0")
    );
    assert_eq!(printed(&["--submission-date", "20170130..20170131"]).len(), 20);
    assert_eq!(printed(&["--submission-date", "20170201"]).len(), 10);
    assert_eq!(printed(&["--channel", "beta"]).len(), 20);
    assert_eq!(
        printed(&["--build-id", "20170100..20170101"]).len(),
        among("appBuildId", &|b| b < "20170102")
    );
    assert_eq!(printed(&["--app", "Thunderbird"]).len(), 0);
    assert_eq!(printed(&["--doc-type", "main", "--limit", "7"]).len(), 7);
    let sample = all[5]["meta"]["sampleId"].as_u64().expect("a number").to_string();
    assert!(
        printed(&["--sample-id", &sample])
            .iter()
            .all(|ping| ping["meta"]["sampleId"].as_u64() == sample.parse().ok())
    );
}

#[test]
fn a_selection_finds_what_is_kept_under_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let file = folder.path().join("file.ndjson");
    let text =
        line(1, "20170130", |ping| ping.channel = "brand-new".to_owned()) + &line(2, "20170130", |_| ());
    fs::write(&file, text).expect("written");
    well(command(&data, "import", &[&file.display().to_string()]));
    let printed = well(command(&data, "pings", &["--channel", "brand-new"]));
    assert_eq!(printed.lines().count(), 1, "{printed}");
    assert!(
        printed.contains("\"appUpdateChannel\":\"brand-new\""),
        "{printed}"
    );
}

#[test]
fn bodies_that_are_no_json_are_left_out_and_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &[]);
    assert_eq!(
        pipeline
            .edge_client()
            .post("/submit/telemetry/x/core/Firefox", &[], b"no json")
            .expect("an answer")
            .status,
        200
    );
    pipeline.wait_until_settled();
    let printed = command(&data, "pings", &[]);
    assert!(
        printed.success && printed.stdout.is_empty() && printed.stderr.contains('1'),
        "{printed:?}"
    );
}

#[test]
fn a_chunk_can_be_looked_into_and_any_zstd_decompresses_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let file = folder.path().join("file.ndjson");
    fs::write(
        &file,
        (0..9)
            .map(|number| line(number, "20170130", |_| ()))
            .collect::<String>(),
    )
    .expect("written");
    well(command(&data, "import", &[&file.display().to_string()]));
    let listed = std::process::Command::new("find")
        .arg(&data)
        .args(["-name", "*.zst"])
        .output()
        .expect("find runs");
    let listed = String::from_utf8(listed.stdout).expect("text");
    let chunk = listed.lines().next().expect("a chunk");
    assert_eq!(listed.lines().count(), 1, "{listed}");
    let info = well(run(&["chunk", "info", chunk]));
    assert!(info.contains("app_version") && info.contains('9'), "{info}");
    well(run(&["chunk", "verify", chunk]));
    let cat = well(run(&["chunk", "cat", chunk]));
    assert_eq!(cat.lines().count(), 9, "{cat}");
    let raw = zstd::decode_all(fs::File::open(chunk).expect("readable")).expect("plain zstd frames");
    assert_eq!(
        raw.windows(4).filter(|window| window == b"main").count() / 9,
        2,
        "each record has its URI and its body"
    );
}

#[test]
fn a_second_serve_says_which_process_holds_the_directory() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &[]);
    let others = (free_address(), free_address());
    // Whoever types the same command twice meets the busy port first.
    let same = (pipeline.edge.clone(), pipeline.api.clone());
    for (edge, api) in [others, same] {
        let second = command(&data, "serve", &["--edge-listen", &edge, "--api-listen", &api]);
        assert!(
            !second.success && second.stderr.contains(&format!("process {}", pipeline.id())),
            "{}",
            second.stderr
        );
    }
}

#[test]
fn a_busy_port_and_a_wrong_setting_are_clear_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let busy = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = busy.local_addr().expect("its address").to_string();
    let refused = command(
        &data,
        "serve",
        &["--edge-listen", &address, "--api-listen", "127.0.0.1:0"],
    );
    assert!(
        !refused.success && refused.stderr.contains(&address),
        "{}",
        refused.stderr
    );
    let config = folder.path().join("highwater.toml");
    fs::write(&config, "# a comment\n\nseal_aje = \"1s\"\n").expect("written");
    let wrong = command(&data, "serve", &["--config", &config.display().to_string()]);
    assert!(
        !wrong.success && wrong.stderr.contains("seal_age") && wrong.stderr.contains('3'),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("highwater.toml");
    let (from_file, from_environment, from_flag) = ("/nowhere/file", "/nowhere/environment", "/nowhere/flag");
    fs::write(&config, format!("data_dir = \"{from_file}\"\n")).expect("written");
    let status = |environment: bool, flag: bool| {
        let mut command = std::process::Command::new(tests::highwater());
        command.args(["status", "--config"]).arg(&config);
        if environment {
            command.env("HIGHWATER_DATA_DIR", from_environment);
        }
        if flag {
            command.args(["--data-dir", from_flag]);
        }
        String::from_utf8(command.output().expect("it runs").stderr).expect("text")
    };
    assert!(
        status(false, false).contains(from_file),
        "{}",
        status(false, false)
    );
    assert!(
        status(true, false).contains(from_environment),
        "{}",
        status(true, false)
    );
    assert!(status(true, true).contains(from_flag), "{}", status(true, true));
}

#[test]
fn the_example_configuration_is_understood() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the project");
    let example = fs::read_to_string(project.join("infra/systemd/highwater.toml")).expect("the example");
    let folder = tempfile::tempdir().expect("a folder");
    // Every setting of the example, also those that are commented out, is one that the program knows.
    let all: String = example
        .lines()
        .map(|line| line.strip_prefix("#: ").unwrap_or(line))
        .map(|line| format!("{line}\n"))
        .collect();
    let config = folder.path().join("highwater.toml");
    fs::write(&config, all).expect("written");
    let data = folder.path().join("data");
    let finished = run(&[
        "serve",
        "--check",
        "--config",
        &config.display().to_string(),
        "--data-dir",
        &data.display().to_string(),
    ]);
    assert!(finished.success, "{}", finished.stderr);
}

#[test]
fn a_very_long_path_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder
        .path()
        .join("a-folder-with-a-rather-long-name".repeat(4))
        .join("and-another-one".repeat(8))
        .join("data");
    fs::create_dir_all(data.parent().expect("a parent")).expect("made");
    let pipeline = Pipeline::start(&data, &[]);
    let file = folder.path().join("file.ndjson");
    fs::write(&file, line(1, "20170130", |_| ())).expect("written");
    well(command(&data, "import", &[&file.display().to_string()]));
    assert_eq!(pipeline.wait_until_settled()["folded"], 1);
}

#[test]
fn a_lost_index_is_made_again_from_the_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let file = folder.path().join("file.ndjson");
    fs::write(
        &file,
        (0..5)
            .map(|number| line(number, "20170130", |_| ()))
            .collect::<String>(),
    )
    .expect("written");
    well(command(&data, "import", &[&file.display().to_string()]));
    let before = well(command(&data, "dump", &[]));
    lose_index(&data);
    well(command(&data, "reconcile", &[]));
    let status = status_of(&data);
    assert_eq!(
        (&status["indexed"], &status["folded"], &status["settled"]),
        (&json!(5), &json!(5), &json!(true)),
        "{status}"
    );
    assert_eq!(well(command(&data, "dump", &[])), before);
}

#[test]
fn a_reader_that_stops_reading_ends_a_command_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let file = folder.path().join("file.ndjson");
    let lines = (0..300).map(|number| line(number, "20170130", |ping| ping.version = format!("{number}.0")));
    fs::write(&file, lines.collect::<String>()).expect("written");
    well(command(&data, "import", &[&file.display().to_string()]));
    for name in ["pings", "dump"] {
        let mut reading = std::process::Command::new(tests::highwater())
            .args([name, "--data-dir"])
            .arg(&data)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("the program starts");
        drop(reading.stdout.take());
        let ended = reading.wait().expect("it ends");
        assert!(ended.success(), "{name}: {ended}");
    }
}
