//! What the tables of version 3 hold becomes one source among others, and nothing of it is lost.

use std::path::Path;

use proptest::prelude::*;
use rusqlite::{Connection, params};
use serde_json::Value;
use sketch::{Cell, Layout, UserSketch, coupon_of};
use tokio::runtime::Builder;

use super::SqliteAggregates;
use crate::conformance::{any_additions, any_cell_query, cell_batch, dump_of, sources};
use crate::{
    AggregateReads, AggregateStore, Batch, Bounds, CellKey, CellQuery, Committed, DateClock,
    STANDARD_DIMENSIONS, USER_DIMENSIONS,
};

/// Kind, value, detail; by the names of the time.
const LISTED: [(i64, &str, &str); 8] = [
    (1, "c.metric", "0"),
    (2, "s.application", "0"),
    (3, "s.architecture", "0"),
    (4, "s.os", "s.os_version"),
    (5, "c.process", "0"),
    (6, "s.e10s", "0"),
    (7, "s.build_date", "0"),
    (8, "s.submission_date", "0"),
];

fn string(connection: &Connection, text: &str) -> i64 {
    let put = "INSERT INTO string (text) VALUES (?1) ON CONFLICT DO NOTHING";
    connection.execute(put, [text]).expect("a text");
    let find = "SELECT id FROM string WHERE text = ?1";
    connection
        .query_row(find, [text], |row| row.get(0))
        .expect("its id")
}

/// Makes tables of version 3 with what the lines of a dump say.
fn fill(file: &Path, lines: &[String]) {
    let connection = Connection::open(file).expect("the file opens");
    for step in [
        include_str!("schema_1.sql"),
        include_str!("schema_2.sql"),
        include_str!("schema_3.sql"),
        "INSERT INTO meta (name, value) VALUES ('schema_version', '3')",
    ] {
        connection.execute_batch(step).expect("the tables of the time");
    }
    for line in lines {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        let text = |name: &str| line[name].as_str().expect("a text").to_owned();
        let ids = |names: &[&str]| -> String {
            let ids = names
                .iter()
                .map(|name| string(&connection, &text(name)).to_string());
            ids.collect::<Vec<_>>().join(",")
        };
        let (columns, day) = (STANDARD_DIMENSIONS.join(","), text("submission_date"));
        if text("kind") == "users" {
            let (names, values) = (USER_DIMENSIONS.join(","), ids(&USER_DIMENSIONS));
            let image = text("image");
            let sql = format!(
                "INSERT INTO users (submission_date,{names},image) VALUES ({day},{values},x'{image}')"
            );
            connection.execute(&sql, []).expect("users");
            continue;
        }
        let values = ids(&STANDARD_DIMENSIONS);
        let set = format!(
            "INSERT OR IGNORE INTO dimension_set (submission_date,{columns}) VALUES ({day},{values})"
        );
        connection.execute(&set, []).expect("a set");
        let find =
            format!("SELECT id FROM dimension_set WHERE (submission_date,{columns}) = ({day},{values})");
        let set: i64 = connection.query_row(&find, [], |row| row.get(0)).expect("its id");
        let layout: Layout = text("layout").parse().expect("a layout");
        let put = "INSERT OR IGNORE INTO layout (kind, min, max, bin_count) VALUES (?1, ?2, ?3, ?4)";
        let numbers = params![layout.kind.code(), layout.min, layout.max, layout.bin_count];
        connection.execute(put, numbers).expect("a layout");
        let find = "SELECT id FROM layout WHERE kind = ?1 AND min = ?2 AND max = ?3 AND bin_count = ?4";
        let layout: i64 = connection
            .query_row(find, numbers, |row| row.get(0))
            .expect("its id");
        let bins = line["bins"].as_array().expect("bins").iter();
        let bins = bins.map(|bin| {
            let samples = bin[1].as_str().expect("samples").parse().expect("a number");
            (bin[0].as_i64().expect("a bound"), samples)
        });
        let sum = text("sum").parse().expect("a sum");
        let cell = Cell::new(line["count"].as_i64().expect("a count"), sum, bins);
        connection
            .execute(
                "INSERT INTO cell VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    string(&connection, &text("metric")),
                    set,
                    string(&connection, &text("process")),
                    string(&connection, &text("label")),
                    layout,
                    cell.encode()
                ],
            )
            .expect("a cell");
    }
    for (kind, value, detail) in LISTED {
        let sql = format!(
            "INSERT INTO listing SELECT s.channel, s.version, {kind}, {value}, {detail}, count(*)
             FROM cell AS c JOIN dimension_set AS s ON s.id = c.dimension_set GROUP BY 1, 2, 3, 4, 5"
        );
        connection.execute(&sql, []).expect("the list");
    }
}

/// These cells, and users of their sets: of some nothing but the day is stated.
fn batch_of(additions: &[(CellKey, Cell)]) -> Batch {
    let mut batch = cell_batch(additions);
    for (number, (key, _)) in additions.iter().enumerate() {
        let mut users = UserSketch::new();
        users.insert(coupon_of(&number.to_string()).expect("a coupon"));
        let kept = &USER_DIMENSIONS[number % 5..];
        batch.users.push((key.dimensions.projected(kept), users));
    }
    batch
}

async fn lists(store: &SqliteAggregates) -> String {
    let (source, mut text) = (&sources()[0], String::new());
    for channel in store.channels(source, usize::MAX).await.expect("channels").values {
        for clock in [DateClock::BuildDate, DateClock::SubmissionDate] {
            let dates = store.dates(source, clock, &channel, usize::MAX).await;
            text.push_str(&format!("{channel} {:?}\n", dates.expect("dates")));
        }
        for version in ["41", "9"] {
            let options = store.filter_options(source, &channel, version, usize::MAX).await;
            text.push_str(&format!("{:?}\n", options.expect("options")));
        }
    }
    text
}

async fn are_equal(a: &SqliteAggregates, b: &SqliteAggregates, queries: &[CellQuery]) {
    assert_eq!(dump_of(a).await, dump_of(b).await);
    assert_eq!(lists(a).await, lists(b).await);
    for query in queries {
        let answers = (
            a.series(query, Bounds::NONE).await.expect("an answer"),
            b.series(query, Bounds::NONE).await.expect("an answer"),
        );
        assert_eq!(answers.0, answers.1, "{query:?}");
    }
}

#[test]
fn what_the_third_schema_holds_is_found_under_the_source_of_the_original() {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let queries = prop::collection::vec(any_cell_query(), 8);
    let config = ProptestConfig::with_cases(24);
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let drawn = (any_additions(), any_additions(), queries);
    let outcome = runner.run(&drawn, |(first, second, queries)| {
        let is_old = |(key, _): &&(CellKey, Cell)| *key.dimensions.source() == sources()[0];
        let first: Vec<_> = first.iter().filter(is_old).cloned().collect();
        let folder = tempfile::tempdir().expect("a folder");
        runtime.block_on(async {
            let new = SqliteAggregates::open(&folder.path().join("new")).expect("opened");
            let committed = new.commit(batch_of(&first)).await;
            assert_eq!(committed.expect("written"), Committed::Written);
            let old = folder.path().join("old");
            fill(&old, &dump_of(&new).await);
            let old = SqliteAggregates::open(&old).expect("migrated");
            are_equal(&old, &new, &queries).await;
            // What comes now finds the sets that were taken over, and makes others beside them.
            for store in [&old, &new] {
                for additions in [&second, &first] {
                    let committed = store.commit(batch_of(additions)).await;
                    assert_eq!(committed.expect("written"), Committed::Written);
                }
            }
            are_equal(&old, &new, &queries).await;
        });
        Ok(())
    });
    outcome.expect("every draw holds");
}
