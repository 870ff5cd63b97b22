//! Declarations that change beside a running program, from the street.

use std::fs;

use serde_json::{Value, json};
use tests::{Pipeline, Signal, pause, run};

const DECLARATION: &str = r#"$highwater: product/1
sources: [inkpress/printer]
dimensions:
  version: { path: /version, as: major }
metrics:
  printer:
    drawers: { type: quantity, path: /drawers }
"#;

fn post(pipeline: &Pipeline, kind: &str, number: u64) {
    let uri = format!("/submit/{kind}/1/c0b1f5d2-83a4-4e0b-b6a9-{number:012x}");
    let site = ["north", "south"][(number % 2) as usize];
    let body = json!({"version": "2.0", "drawers": number, "site": site});
    let answer = pipeline
        .edge_client()
        .post(&uri, &[], body.to_string().as_bytes());
    assert_eq!(answer.expect("an answer").status, 200, "{uri}");
}

/// Pings and sum by a dimension; nothing where the question is refused.
fn sums(pipeline: &Pipeline, source: &str, by: &str) -> Vec<(String, u64, u64)> {
    let metric = format!("{}.drawers", source.split_once('/').expect("a source").1);
    let target = format!("/api/v1/aggregates?source={source}&metric={metric}&group_by={by}");
    let answer = pipeline.api_client().get(&target).expect("an answer").json();
    let rows = answer["data"].as_array().into_iter().flatten();
    let row = |row: &Value| {
        let number = |name: &str| row[name].as_u64().expect("a number");
        Some((row[by].as_str()?.to_owned(), number("pings"), number("sum")))
    };
    rows.filter_map(row).collect()
}

/// The verdict on refused files, if there is one.
fn refused(pipeline: &Pipeline) -> Option<String> {
    let health = pipeline.api_client().get("/api/v1/health").expect("an answer");
    let health = health.json();
    let mut verdicts = health["verdicts"].as_array().expect("verdicts").iter();
    let verdict = verdicts.find(|verdict| verdict["name"] == "declarations_refused")?;
    Some(verdict["what"].as_str().expect("words").to_owned())
}

fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..2_400 {
        if let Some(found) = look() {
            return found;
        }
        pause(std::time::Duration::from_millis(50));
    }
    panic!("waited in vain for {what}");
}

#[test]
fn a_declaration_changes_beside_live_pings_and_one_that_is_wrong_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, products) = (folder.path().join("data"), folder.path().join("products"));
    let (file, stall) = (products.join("printer.yaml"), products.join("stall.yaml"));
    fs::create_dir(&products).expect("made");
    fs::write(&file, DECLARATION).expect("written");
    fs::write(&stall, DECLARATION.replace("printer", "stall")).expect("written");
    let declared = products.display().to_string();
    let arguments = ["--products", declared.as_str()];
    let pipeline = Pipeline::start(&data, &arguments);
    for number in 0..6 {
        post(&pipeline, "inkpress/printer", number);
        post(&pipeline, "inkpress/stall", number);
    }
    pipeline.wait_for("all to be counted", |status| status["folded"] == 12);
    let stalls = sums(&pipeline, "inkpress/stall", "version");
    assert_eq!(stalls, [("2".to_owned(), 6, 15)]);
    assert_eq!(sums(&pipeline, "inkpress/printer", "site"), []);

    // A dimension more, found by a look at the files, while pings come.
    let second = DECLARATION.replace("metrics:", "  site: { path: /site }\nmetrics:");
    fs::write(&file, &second).expect("written");
    let mut sent = 6;
    wait_until("the new dimension", || {
        post(&pipeline, "inkpress/printer", sent);
        sent += 1;
        assert_eq!(sums(&pipeline, "inkpress/stall", "version"), stalls);
        // Whoever asks meanwhile is answered by the numbers of before.
        (sums(&pipeline, "inkpress/printer", "site").len() == 2).then_some(())
    });
    pipeline.wait_for("all to be counted", |status| {
        status["settled"] == true && status["folded"] == sent + 6
    });
    // Slow and obvious: every ping that was sent, by its parity.
    let of = |site: &str, parity: u64| {
        let these = (0..sent).filter(|number| number % 2 == parity);
        (site.to_owned(), these.clone().count() as u64, these.sum::<u64>())
    };
    let expected = [of("north", 0), of("south", 1)];
    wait_until("all of it by the new dimension", || {
        let mut found = sums(&pipeline, "inkpress/printer", "site");
        found.sort();
        (found == expected).then_some(())
    });
    assert_eq!(refused(&pipeline), None);

    // One that is wrong: SIGHUP has it read at once, nothing changes, and the health page says what is wrong.
    fs::write(&file, second.replace("quantity", "quantty")).expect("written");
    fs::write(
        products.join("third.yaml"),
        DECLARATION.replace("printer", "third"),
    )
    .expect("written");
    pipeline.signal(Signal::HUP);
    let words = wait_until("a verdict", || refused(&pipeline));
    assert!(
        words.contains("printer.yaml: line 8, column") && words.contains("did you mean `quantity`?"),
        "{words}"
    );
    let gauges = pipeline.api_client().get("/metrics").expect("an answer");
    let gauges = gauges.text();
    assert!(
        gauges.contains("highwater_pipeline_declaration_failures 1"),
        "{gauges}"
    );
    let mut found = sums(&pipeline, "inkpress/printer", "site");
    found.sort();
    assert_eq!(found, expected);
    let status = run(&["status", "--data-dir", &data.display().to_string()]);
    assert!(
        status.stdout.contains("did you mean `quantity`?"),
        "{}",
        status.stdout
    );

    // Killed now, it comes up by what was accepted last; a check says what is wrong.
    pipeline.kill();
    let pipeline = Pipeline::start(&data, &arguments);
    let words = refused(&pipeline).expect("told from the start on");
    assert!(
        words.contains("line 8, column") && words.contains("before the last start"),
        "{words}"
    );
    let check = run(&[
        "serve",
        "--check",
        "--products",
        &declared,
        "--data-dir",
        &data.display().to_string(),
    ]);
    assert!(
        !check.success && check.stderr.contains("quantty"),
        "{}",
        check.stderr
    );
    let mut found = sums(&pipeline, "inkpress/printer", "site");
    found.sort();
    assert_eq!(found, expected);
    post(&pipeline, "inkpress/third", 1);

    // Mended, all of it is taken up.
    fs::write(&file, &second).expect("written");
    wait_until("the verdict to go", || refused(&pipeline).is_none().then_some(()));
    wait_until("the new source to be counted", || {
        (sums(&pipeline, "inkpress/third", "version") == [("2".to_owned(), 1, 1)]).then_some(())
    });
    assert_eq!(sums(&pipeline, "inkpress/stall", "version"), stalls);
    pipeline.terminate();
}
