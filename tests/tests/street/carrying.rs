//! Pings that are carried from one pipeline to another by files: what `pings` prints, and what other pipelines wrote.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::{Pipeline, SmallPing, gzip, highwater};

use crate::ask::{command, status_of, well};

/// Lines without what another record of the same ping says of itself.
fn but_for_the_record(printed: &str) -> BTreeSet<String> {
    let lines = printed.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).expect("a line of JSON");
        let meta = line["meta"].as_object_mut().expect("an object");
        for own in ["recordId", "receivedBytes"] {
            meta.remove(own);
        }
        line.to_string()
    });
    lines.collect()
}

fn counts(status: &Value) -> [Option<u64>; 5] {
    ["accepted", "folded", "repeated", "stored_only", "errored_pings"].map(|name| status[name].as_u64())
}

#[test]
fn what_pings_prints_is_imported_as_the_same_pings_with_the_same_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let pipeline = Pipeline::start(&from, &[]);
    let mut edge = pipeline.edge_client();
    for number in 0..12 {
        let ping = SmallPing::numbered(number % 10);
        let mut body = ping.json();
        if number % 3 == 0 {
            body["meta"] = json!({"mine": number});
            body["body_meta"] = json!(number);
        }
        let mut body = body.to_string().into_bytes();
        if number % 4 == 1 {
            let at = body.len() - 1;
            body.splice(at..at, b",\"graphics\":\"gr\xe2phique \\ud800\"".iter().copied());
        }
        let headers: &[(&str, &str)] = &[("Content-Encoding", "gzip"), ("DNT", "1")];
        assert_eq!(
            edge.post(&ping.uri(), headers, &gzip(&body))
                .expect("an answer")
                .status,
            200
        );
    }
    let packed = gzip(&SmallPing::numbered(20).body());
    let cut: &[(&str, &str)] = &[("Content-Encoding", "gzip")];
    edge.post(&SmallPing::numbered(20).uri(), cut, &packed[..packed.len() / 2])
        .expect("an answer");
    edge.post(&SmallPing::numbered(21).uri(), &[], b"not json")
        .expect("an answer");
    let sent = pipeline.wait_until_settled();
    pipeline.terminate();
    let (pings, errored) = (
        well(command(&from, "pings", &[])),
        well(command(&from, "pings", &["--errors"])),
    );
    assert_eq!(errored.lines().count(), 2, "{errored}");
    for (name, text) in [("pings.ndjson", &pings), ("errored.ndjson", &errored)] {
        let file = folder.path().join(name);
        fs::write(&file, text).expect("written");
        well(command(&to, "import", &[&file.display().to_string()]));
    }
    assert_eq!(counts(&status_of(&to)), counts(&sent));
    assert_eq!(status_of(&to)["errored_by_reason"], sent["errored_by_reason"]);
    assert_eq!(
        but_for_the_record(&well(command(&to, "pings", &[]))),
        but_for_the_record(&pings)
    );
    assert_eq!(
        but_for_the_record(&well(command(&to, "pings", &["--errors"]))),
        but_for_the_record(&errored)
    );
    assert_eq!(well(command(&to, "dump", &[])), well(command(&from, "dump", &[])));
}

#[test]
fn an_import_of_bad_lines_fails_with_words_and_takes_the_good_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let file = folder.path().join("bad.ndjson");
    fs::write(&file, "{\"submission\": 1}\n".repeat(1_500)).expect("written");
    let refused = command(&data, "import", &[&file.display().to_string()]);
    assert!(!refused.success);
    for words in [
        "1500 of 1500 lines",
        "\"submissionDate\" is missing",
        "500 bad lines more",
    ] {
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    assert!(!refused.stderr.contains("struct"), "{}", refused.stderr);
    let good = folder.path().join("good.ndjson");
    let ping = SmallPing::numbered(1);
    let line = json!({"submissionDate": "20170130", "uri": ping.uri(), "body": ping.json()});
    fs::write(&good, format!("{line}\nnothing\n")).expect("written");
    let refused = command(
        &data,
        "import",
        &[&file.display().to_string(), &good.display().to_string()],
    );
    assert!(
        !refused.success && refused.stderr.contains("1501 of 1502 lines"),
        "{}",
        refused.stderr
    );
    assert_eq!(status_of(&data)["folded"], 1);
}

/// A message of Heka in its frame, its header as nginx wrote it.
fn frame(fields: &[(&str, &str)], payload: &[u8], nanoseconds: u64) -> Vec<u8> {
    let number = |tag: u8, mut number: u64| {
        let mut bytes = vec![tag << 3];
        while number > 127 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    };
    let text = |tag: u8, text: &[u8]| {
        let mut bytes = number(tag, text.len() as u64);
        bytes[0] |= 2;
        [bytes, text.to_vec()].concat()
    };
    let mut message = [number(2, nanoseconds), text(6, payload)].concat();
    for (name, value) in fields {
        message.extend(text(
            10,
            &[text(1, name.as_bytes()), text(4, value.as_bytes())].concat(),
        ));
    }
    let header = number(1, message.len() as u64);
    [&[0x1e, header.len() as u8], header.as_slice(), &[0x1f], &message].concat()
}

#[test]
fn files_of_other_pipelines_are_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut lines = Vec::new();
    for number in 0..6 {
        let ping = SmallPing::numbered(number);
        let uri = ping.uri();
        let (path, args) = uri.split_once('?').unwrap_or((&uri, ""));
        let body = if number % 2 == 0 {
            gzip(&ping.body())
        } else {
            ping.body()
        };
        let attributes = json!({"uri": path, "args": args, "method": "POST", "remote_addr": "203.0.113.7",
            "submission_timestamp": "2017-01-31T01:02:03.000000Z"});
        writeln!(
            lines,
            "{}",
            json!({"attributeMap": attributes, "payload": STANDARD.encode(body)})
        )
        .expect("written");
    }
    let file = folder.path().join("landfill.ndjson.gz");
    fs::write(&file, gzip(&lines)).expect("written");
    well(command(&data, "import", &[&file.display().to_string()]));
    assert_eq!(status_of(&data)["folded"], 6);
    let mut frames = Vec::new();
    for number in 6..9 {
        let ping = SmallPing::numbered(number);
        let uri = ping.uri();
        let fields = [("uri", uri.as_str()), ("remote_addr", "203.0.113.7")];
        frames.extend(frame(&fields, &ping.body(), 1_485_824_523_000_000_000));
        frames.extend(b"\x1edamaged");
    }
    let file = folder.path().join("heka");
    fs::write(&file, &frames).expect("written");
    let refused = command(&data, "import", &[&file.display().to_string()]);
    assert!(
        !refused.success && refused.stderr.contains("3 of 6 lines"),
        "{}",
        refused.stderr
    );
    assert_eq!(status_of(&data)["folded"], 9);
    let printed = well(command(&data, "pings", &["--submission-date", "20170131"]));
    assert_eq!(printed.lines().count(), 9);
    assert!(!printed.contains("203.0.113"), "no address is kept");
}

/// Another user than the one whose process runs: only root can become one.
const NOBODY: u32 = 65_534;

#[test]
fn the_status_of_another_user_is_denied_by_name() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    if !rustix::process::geteuid().is_root() {
        println!("left out: only root can ask as another user");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changed");
    };
    open(folder.path(), 0o755);
    let pipeline = Pipeline::start(&data, &[]);
    let program = folder.path().join("highwater");
    fs::copy(highwater(), &program).expect("copied");
    open(&program, 0o755);
    for mode in [0o755, 0o700] {
        open(&data, mode);
        let asked = Command::new(&program)
            .args(["status", "--data-dir", &data.display().to_string()])
            .uid(NOBODY)
            .gid(NOBODY)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&asked.stderr);
        assert!(!asked.status.success());
        assert!(
            said.contains("permission denied")
                && said.contains(&data.join("control.sock").display().to_string()),
            "{said}"
        );
        assert!(!said.contains("ended"), "{said}");
    }
    open(&data, 0o755);
    pipeline.terminate();
}
