//! Two products, of which one is kept shorter than all, and whose declaration changes from a day on.

use std::fs;
use std::path::{Path, PathBuf};

use ping::{SubmissionDate, Timestamp};
use serde_json::{Value, json};
use service::clock::SystemClock;
use tests::{Finished, Pipeline};

use crate::ask::{command, status_of, well};

const PRINTER: &str = r#"$highwater: product/1
sources: [inkpress/printer]
client_id: { path: /id }
metrics: { printer: { drawers: { type: quantity, path: /drawers } } }
keep: { pings: 7d }
"#;

const SCANNER: &str = r#"$highwater: product/1
sources: [inkpress/scanner]
client_id: { path: /id }
metrics: { scanner: { drawers: { type: quantity, path: /drawers } } }
"#;

/// Days before today on which pings came.
const DAYS: [i64; 4] = [-10, -8, -3, 0];

fn today() -> SubmissionDate {
    Timestamp::from_micros(SystemClock::shared().now_micros()).submission_date()
}

struct Place {
    data: PathBuf,
    products: PathBuf,
}

impl Place {
    fn new(folder: &Path) -> Self {
        let place = Self {
            data: folder.join("data"),
            products: folder.join("products"),
        };
        fs::create_dir_all(&place.products).expect("made");
        place.declare("printer", PRINTER);
        place.declare("scanner", SCANNER);
        place
    }

    fn declare(&self, name: &str, text: &str) {
        fs::write(self.products.join(format!("{name}.yaml")), text).expect("written");
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let products = ["--products".to_owned(), self.products.display().to_string()];
        let more = more.iter().map(|word| (*word).to_owned());
        products.into_iter().chain(more).collect()
    }

    fn run(&self, name: &str, more: &[&str]) -> Finished {
        let arguments = self.arguments(more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        command(&self.data, name, &arguments)
    }

    /// Two pings of a product on a day.
    fn import(&self, kind: &str, day: SubmissionDate, first: u64) {
        let file = self.data.with_extension(format!("{kind}.{first}.ndjson"));
        let line = |number: u64| {
            let id = format!("c0b1f5d2-83a4-4e0b-b6a9-{number:012x}");
            let site = ["north", "south"][(number % 2) as usize];
            let body = json!({"id": id, "drawers": number, "site": site});
            let uri = format!("/submit/inkpress/{kind}/1/{id}");
            format!(
                "{}\n",
                json!({"submissionDate": day.to_string(), "uri": uri, "body": body})
            )
        };
        fs::write(&file, (first..first + 2).map(line).collect::<String>()).expect("written");
        well(self.run("import", &[&file.display().to_string()]));
    }

    fn filled(&self, today: SubmissionDate) {
        for (first, before) in (0..).step_by(10).zip(DAYS) {
            self.import("printer", today.plus_days(before), first);
            self.import("scanner", today.plus_days(before), 1_000 + first);
        }
    }

    /// How many pings of a product there are of each day.
    fn pings(&self, kind: &str) -> Vec<usize> {
        let today = today();
        let of_day = |before: i64| {
            let day = today.plus_days(before).to_string();
            let asked = [
                "--namespace",
                "inkpress",
                "--doc-type",
                kind,
                "--submission-date",
                &day,
            ];
            well(command(&self.data, "pings", &asked)).lines().count()
        };
        DAYS.into_iter().map(of_day).collect()
    }
}

#[test]
fn one_product_is_kept_for_a_week_and_the_other_for_ever() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, today) = (Place::new(folder.path()), today());
    place.filled(today);
    let before = well(command(&place.data, "dump", &[]));
    let floor = today.plus_days(-7).to_string();
    let data = place.data.display().to_string();
    let products = place.products.display().to_string();
    let check = tests::run(&["serve", "--check", "--data-dir", &data, "--products", &products]);
    let said = format!("{}{}", check.stdout, check.stderr);
    assert!(
        check.success
            && said.contains("of inkpress/printer are kept for 7d")
            && !said.contains("inkpress/scanner are"),
        "{said}"
    );
    let look = place.run("retain", &["--dry-run"]);
    let words = format!("pings of inkpress/printer are kept from {floor} on");
    assert!(
        look.success
            && look.stderr.contains("would go: 2 chunks with 4 pings")
            && look.stderr.contains(&words),
        "{}",
        look.stderr
    );
    let held = place.run("retain", &[]);
    assert!(
        !held.success && held.stderr.contains("pings of inkpress/printer of 2 days before"),
        "{}",
        held.stderr
    );
    assert_eq!(
        (place.pings("printer"), place.pings("scanner")),
        (vec![2; 4], vec![2; 4])
    );
    let done = place.run("retain", &["--yes"]);
    assert!(
        done.success && done.stderr.contains("deleted: 2 chunks with 4 pings"),
        "{}",
        done.stderr
    );
    let kept = (vec![0, 0, 2, 2], vec![2; 4]);
    assert_eq!((place.pings("printer"), place.pings("scanner")), kept);
    // Numbers are kept by another age, here for ever; what comes late is not counted.
    assert_eq!(well(command(&place.data, "dump", &[])), before);
    place.import("printer", today.plus_days(-9), 500);
    well(command(&place.data, "reconcile", &[]));
    assert_eq!(well(command(&place.data, "dump", &[])), before);
    let status = status_of(&place.data);
    let counts = ["accepted", "folded", "deleted", "unfolded"].map(|name| status[name].as_u64());
    assert_eq!(counts, [18, 16, 4, 2].map(Some), "{status}");
    assert_eq!(status["settled"], true, "{status}");
    // Everything anew would lose what the pings are gone of, one source does not.
    let refused = place.run("rebuild", &[]);
    assert!(
        !refused.success && refused.stderr.contains("inkpress/printer"),
        "{}",
        refused.stderr
    );
    for source in ["inkpress/scanner", "inkpress/printer"] {
        well(place.run("rebuild", &["--source", source]));
    }
    assert_eq!(well(command(&place.data, "dump", &[])), before);
}

#[test]
fn a_running_process_deletes_by_a_declaration_and_counts_a_changed_one_from_its_day_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, today) = (Place::new(folder.path()), today());
    place.filled(today);
    let before = well(command(&place.data, "dump", &[]));
    let since = today.plus_days(-3).to_string();
    let changed = SCANNER.replace("metrics:", "dimensions: { site: { path: /site } }\nmetrics:");
    let dashed = format!("{}-{}-{}", &since[..4], &since[4..6], &since[6..]);
    place.declare("scanner", &format!("{changed}since: {dashed}\n"));
    let arguments = place.arguments(&[]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let pipeline = Pipeline::start(&place.data, &arguments);
    let ask = |target: &str| pipeline.api_client().get(target).expect("an answer").json();
    pipeline.wait_for("what waits for a person to be told", |_| {
        let health = ask("/api/v1/health").to_string();
        health.contains("retention_held") && health.contains("inkpress/printer")
    });
    well(command(&place.data, "retain", &["--yes"]));
    pipeline.wait_for("the old pings to go, and the change to count", |status| {
        let sites = ask("/api/v1/aggregates?source=inkpress/scanner&metric=scanner.drawers&group_by=site");
        let mut rows = sites["data"].as_array().into_iter().flatten();
        status["deleted"] == 4 && rows.any(|row| row["site"] == "south")
    });
    pipeline.terminate();
    assert_eq!(place.pings("printer"), [0, 0, 2, 2]);
    let after = well(command(&place.data, "dump", &[]));
    let is_old = |line: &&str| {
        let line: Value = serde_json::from_str(line).expect("a line");
        line["source"] != "inkpress/scanner"
            || line["submission_date"].as_str().expect("a day") < since.as_str()
    };
    assert!(
        after.lines().filter(is_old).eq(before.lines().filter(is_old)),
        "{after}"
    );
    let new: Vec<Value> = after
        .lines()
        .filter(|line| !is_old(line))
        .map(|line| serde_json::from_str(line).expect("a line"))
        .collect();
    let of_site = |site: &str| {
        new.iter()
            .filter(|line| line["kind"] != "users" && line["site"] == site)
            .count()
    };
    assert_eq!((of_site("north"), of_site("south")), (2, 2), "{after}");
}
