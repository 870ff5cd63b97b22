//! What a product promised its users, from the street: what is taken out is in no byte of the store, and users are counted.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use chunk::ChunkReader;
use serde_json::{Value, json};
use sketch::UserSketch;
use tests::Pipeline;

use crate::ask::{command, well};

const DECLARATION: &str = r#"$highwater: product/1
sources: [inkpress/printer, inkpress/pages]
client_id: { path: /printer/id }
dimensions:
  version: { path: /version, as: major }
metrics:
  all:
    drawers: { type: quantity, path: /drawers }
drop: [/printer/id, "/sites/*/name"]
by_source: { inkpress/pages: { clients: daily, drop: ["/sites/*/name"] } }
"#;

/// What must be nowhere.
const SITE: &str = "Krasnojarsk";

fn client(number: u64) -> String {
    format!("5f3a1c2e-0000-4000-8000-{:012x}", 0xabc0 + number)
}

fn ping(number: u64) -> Value {
    json!({"printer": {"id": client(number % 3), "kind": "laser"}, "version": "2.0.7", "drawers": number,
           "sites": [{"name": SITE, "pages": 3}, {"name": SITE}]})
}

fn uri(kind: &str, number: u64) -> String {
    format!("/submit/inkpress/{kind}/1/c0b1f5d2-83a4-4e0b-b6a9-{number:012x}")
}

/// Name and content of each file below a folder.
fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((path.display().to_string(), fs::read(&path).expect("read")));
        }
    }
}

/// All raw bytes of all chunks of these sources, and the client hashes in them.
fn stored(data: &Path) -> (Vec<u8>, Vec<String>) {
    let (mut raw, mut hashes, mut objects) = (Vec::new(), Vec::new(), Vec::new());
    files(&data.join("store"), &mut objects);
    for (name, bytes) in objects {
        assert!(name.ends_with(".zst"), "{name}");
        let mut reader = ChunkReader::new(bytes.clone().into()).expect("a chunk");
        for number in 0..reader.tail().data_frames.len() {
            let frame = reader.frame(number).expect("decodes").to_vec();
            for record in chunk::records(&frame) {
                hashes.extend(record.expect("a record").client_hash.map(|hash| hash.to_hex()));
            }
            raw.extend(frame);
        }
        raw.extend(bytes);
    }
    (raw, hashes)
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
}

/// How many users a source has, of all its lines in a dump.
fn users(dump: &str, source: &str) -> f64 {
    let mut users = UserSketch::new();
    for line in dump.lines() {
        let line: Value = serde_json::from_str(line).expect("a line");
        if line["source"] == source && line["kind"] == "users" {
            let image = hex::decode(line["image"].as_str().expect("an image")).expect("hexadecimal");
            users.merge_image(&image).expect("a sketch");
        }
    }
    users.estimate().round()
}

#[test]
fn what_is_taken_out_is_in_no_byte_of_the_store_and_users_are_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, file) = (folder.path().join("data"), folder.path().join("inky.yaml"));
    fs::write(&file, DECLARATION).expect("written");
    let declared = file.display().to_string();
    let arguments = ["--products", declared.as_str()];
    let pipeline = Pipeline::start(&data, &arguments);
    let post = |pipeline: &Pipeline, uri: &str, body: &[u8]| {
        let answer = pipeline.edge_client().post(uri, &[], body).expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    for number in 0..6 {
        for kind in ["printer", "pages"] {
            post(&pipeline, &uri(kind, number), ping(number).to_string().as_bytes());
        }
    }
    // Nobody knows where what is to be taken out would stand in these.
    let body = ping(7).to_string();
    post(&pipeline, &uri("printer", 7), &body.as_bytes()[..body.len() - 1]);
    let mut client_of_the_edge = pipeline.edge_client();
    let gzip = [("content-encoding", "gzip")];
    let answer = client_of_the_edge.post(&uri("pages", 8), &gzip, format!("x{body}").as_bytes());
    assert_eq!(answer.expect("an answer").status, 200);
    pipeline.wait_for("all to be counted", |status| {
        status["folded"] == 12 && status["errored_pings"] == 2 && status["settled"] == true
    });
    let metrics = pipeline.api_client().get("/metrics").expect("an answer");
    assert!(
        metrics.text().contains("highwater_edge_emptied_pings_total 2\n"),
        "{}",
        metrics.text()
    );
    pipeline.terminate();

    // Also where a program is started that is not told of the declaration: the promise was made.
    let line = json!({"uri": uri("printer", 9), "submissionDate": "20261101", "body": ping(9)});
    let import = folder.path().join("import.ndjson");
    fs::write(&import, format!("{line}\n")).expect("written");
    well(command(&data, "import", &[&import.display().to_string()]));

    let (raw, hashes) = stored(&data);
    assert!(holds(&raw, "laser") && holds(&raw, r#""sites":[{"pages":3},{}]"#));
    for number in 0..10 {
        assert!(!holds(&raw, &client(number)), "client {number}");
    }
    assert!(!holds(&raw, SITE));
    // Three clients, by one hash always and by another today; one of them imported.
    assert_eq!(hashes.len(), 13);
    assert_eq!(hashes.iter().collect::<BTreeSet<_>>().len(), 6);
    let mut beside = Vec::new();
    for part in ["aggregates", "privacy", "damaged", "staging"] {
        files(&data.join(part), &mut beside);
    }
    for (name, bytes) in beside {
        assert!(
            !holds(&bytes, SITE) && !(0..3).any(|number| holds(&bytes, &client(number))),
            "{name}"
        );
    }
    let dump = well(command(&data, "dump", &[]));
    for source in ["inkpress/printer", "inkpress/pages"] {
        assert_eq!(users(&dump, source), 3.0, "{source}");
    }

    let about = fs::metadata(data.join("client-secret")).expect("it was made");
    assert_eq!((about.mode() & 0o777, about.len()), (0o600, 32));

    // Folded anew, it is the same; and so are pings that are printed and imported elsewhere.
    well(command(&data, "rebuild", &arguments));
    assert_eq!(well(command(&data, "dump", &[])), dump);
    let printed = well(command(&data, "pings", &["--namespace", "inkpress"]));
    assert!(printed.contains("\"clientHash\":"), "{printed}");
    fs::write(&import, printed).expect("written");
    let other = folder.path().join("other");
    let more = [
        import.display().to_string(),
        "--products".to_owned(),
        declared.clone(),
    ];
    well(command(&other, "import", &more.each_ref().map(String::as_str)));
    let (carried, carried_hashes) = stored(&other);
    assert!(!holds(&carried, SITE));
    assert_eq!(
        carried_hashes.iter().collect::<BTreeSet<_>>(),
        hashes.iter().collect::<BTreeSet<_>>()
    );
    let dump = well(command(&other, "dump", &[]));
    assert_eq!(users(&dump, "inkpress/printer"), 3.0);
}

#[test]
fn another_secret_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, file) = (folder.path().join("data"), folder.path().join("inky.yaml"));
    fs::write(&file, DECLARATION).expect("written");
    let declared = file.display().to_string();
    let line = folder.path().join("import.ndjson");
    fs::write(
        &line,
        format!(
            "{}\n",
            json!({"uri": uri("printer", 1), "submissionDate": "20261101", "body": ping(1)})
        ),
    )
    .expect("written");
    let line = line.display().to_string();
    let import = |more: &[&str]| {
        let all = [&[line.as_str(), "--products", declared.as_str()], more].concat();
        command(&data, "import", &all)
    };
    well(import(&[]));
    let (secret, kept) = (data.join("client-secret"), folder.path().join("kept"));
    fs::rename(&secret, &kept).expect("moved");
    let lost = import(&[]);
    assert!(
        !lost.success && lost.stderr.contains("and none is given"),
        "{}",
        lost.stderr
    );
    assert!(!secret.exists(), "no other one is made in its place");
    fs::copy(&kept, &secret).expect("copied");
    let mut bytes = fs::read(&kept).expect("read");
    bytes[0] ^= 1;
    fs::write(&secret, &bytes).expect("written");
    let other = import(&[]);
    let words = "--client-secret-replaces ";
    assert!(!other.success && other.stderr.contains(words), "{}", other.stderr);
    let known = &other.stderr[other.stderr.find(words).expect("it is there") + words.len()..][..16];
    fs::write(&secret, &bytes[1..]).expect("written");
    let short = import(&[]);
    assert!(
        short.stderr.contains("has 31 bytes and not 32"),
        "{}",
        short.stderr
    );
    // The rules that were kept are lost, too: the aggregates know it, also those that were folded anew.
    fs::copy(&kept, &secret).expect("copied");
    well(command(&data, "rebuild", &["--products", declared.as_str()]));
    let (privacy, away) = (data.join("privacy"), folder.path().join("away"));
    fs::rename(&privacy, &away).expect("moved");
    let mut chunks = Vec::new();
    files(&data.join("store"), &mut chunks);
    for given in [Some(&bytes), None] {
        fs::remove_file(&secret).expect("removed");
        if let Some(bytes) = given {
            fs::write(&secret, bytes).expect("written");
            fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("permitted");
        }
        let other = import(&[]);
        assert!(
            !other.success && other.stderr.contains("these aggregates count"),
            "{}",
            other.stderr
        );
        assert!(
            given.is_some() || other.stderr.contains("and none is given"),
            "{}",
            other.stderr
        );
        // What is refused leaves no trace, so that the right one is not refused after it.
        assert!(!privacy.exists() && secret.exists() == given.is_some());
        fs::copy(&kept, &secret).expect("copied");
    }
    let mut chunks_now = Vec::new();
    files(&data.join("store"), &mut chunks_now);
    assert_eq!(chunks_now, chunks);
    well(import(&[]));
    fs::remove_dir_all(&privacy).expect("it was made anew");
    fs::rename(&away, &privacy).expect("moved");
    fs::write(&secret, &bytes).expect("written");
    // On purpose it may be replaced, or given from elsewhere.
    well(import(&["--client-secret-replaces", known]));
    fs::remove_file(&secret).expect("removed");
    fs::write(&kept, &bytes).expect("written");
    well(import(&["--client-secret-file", &kept.display().to_string()]));
    assert!(!secret.exists(), "none is made where one is given");
}
