//! Tables of schema version 1, filled as the program of that version would have.

use std::collections::BTreeSet;

use serde_json::Value;
use sketch::{Cell, Layout};

use crate::test_database::TestDatabase;

const TABLES: &str = include_str!("../../src/postgres/schema_1.sql");

const VERSION: &str = "CREATE SCHEMA highwater_aggregates; CREATE TABLE highwater_aggregates.schema_version \
     (id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL); \
     INSERT INTO highwater_aggregates.schema_version VALUES (1, 1);";

/// The columns of a dimension set, and of users, that are ids of strings.
const SET: [&str; 8] = [
    "channel",
    "version",
    "build_date",
    "application",
    "architecture",
    "os",
    "os_version",
    "e10s",
];
const USERS: [&str; 4] = ["application", "channel", "version", "os"];

const LISTING: &str = "INSERT INTO listing SELECT s.channel, s.version, v.kind, v.value, v.detail, count(*) \
     FROM cell c JOIN dimension_set s ON s.id = c.dimension_set CROSS JOIN LATERAL (VALUES (1, c.metric, 0), \
     (2, s.application, 0), (3, s.architecture, 0), (4, s.os, s.os_version), (5, c.process, 0), (6, s.e10s, 0), \
     (7, s.build_date, 0), (8, s.submission_date, 0)) AS v (kind, value, detail) GROUP BY 1, 2, 3, 4, 5;";

/// What `psql` takes as one argument, with room to spare.
const STATEMENTS_BYTES: usize = 60_000;

/// Makes the tables in an empty database, with what the lines of a dump say. Some ids of sets were given and are gone.
pub(crate) fn fill(place: &TestDatabase, lines: &[String]) {
    place.server.sql(&place.database, VERSION);
    place.server.sql(&place.database, TABLES);
    let lines = lines.iter().map(|line| serde_json::from_str(line));
    let lines: Vec<Value> = lines.collect::<Result<_, _>>().expect("a line is JSON");
    let mut statements: Vec<String> = texts(&lines).iter().map(|text| string(text)).collect();
    for line in &lines {
        let day = text(line, "submission_date");
        match text(line, "kind") {
            "users" => statements.push(format!(
                "INSERT INTO users (submission_date, {}, image) VALUES ({day}, {}, '\\x{}');",
                USERS.join(", "),
                ids(line, &USERS),
                text(line, "image"),
            )),
            _ => statements.extend([layout(line), set(line), cell(line)]),
        }
    }
    statements.push(LISTING.to_owned());
    statements.push("DELETE FROM dimension_set WHERE id NOT IN (SELECT dimension_set FROM cell);".to_owned());
    run(place, &statements);
}

fn run(place: &TestDatabase, statements: &[String]) {
    let mut rest = statements;
    while !rest.is_empty() {
        let mut sql = "SET search_path = highwater_aggregates;".to_owned();
        while let Some((statement, later)) = rest.split_first()
            && sql.len() + statement.len() < STATEMENTS_BYTES
        {
            sql.push_str(statement);
            rest = later;
        }
        place.server.sql(&place.database, &sql);
    }
}

fn text<'a>(line: &'a Value, name: &str) -> &'a str {
    line[name].as_str().expect("a name is a text")
}

fn texts(lines: &[Value]) -> BTreeSet<&str> {
    let names: Vec<&str> = SET.into_iter().chain(["metric", "process", "label"]).collect();
    let mut texts = BTreeSet::new();
    for line in lines {
        texts.extend(names.iter().filter_map(|name| line[*name].as_str()));
    }
    texts
}

fn hex_of(text: &str) -> String {
    format!("'\\x{}'::BYTEA", hex::encode(text))
}

fn string(text: &str) -> String {
    format!("INSERT INTO string (bytes) VALUES ({});", hex_of(text))
}

fn id(text: &str) -> String {
    format!("(SELECT id FROM string WHERE bytes = {})", hex_of(text))
}

fn ids(line: &Value, names: &[&str]) -> String {
    let ids: Vec<String> = names.iter().map(|name| id(text(line, name))).collect();
    ids.join(", ")
}

fn set(line: &Value) -> String {
    let (names, day) = (SET.join(", "), text(line, "submission_date"));
    format!(
        "INSERT INTO dimension_set ({names}, submission_date) VALUES ({}, {day}) ON CONFLICT DO NOTHING;",
        ids(line, &SET)
    )
}

fn layout_of(line: &Value) -> Layout {
    text(line, "layout").parse().expect("it is a layout's text")
}

fn numbers(layout: Layout) -> String {
    let Layout {
        kind,
        min,
        max,
        bin_count,
    } = layout;
    format!("({}, {min}, {max}, {bin_count})", kind.code())
}

fn layout(line: &Value) -> String {
    format!(
        "INSERT INTO layout (kind, min, max, bin_count) VALUES {} ON CONFLICT DO NOTHING;",
        numbers(layout_of(line))
    )
}

fn cell(line: &Value) -> String {
    let bins = line["bins"].as_array().expect("bins are a list").iter();
    let bins = bins.map(|bin| {
        let samples = bin[1].as_str().expect("samples are a text");
        (
            bin[0].as_i64().expect("a bound has 64 bits"),
            samples.parse().expect("a number"),
        )
    });
    let count = line["count"].as_i64().expect("a count has 64 bits");
    let cell = Cell::new(count, text(line, "sum").parse().expect("a number"), bins);
    format!(
        "INSERT INTO cell SELECT s.id, {}, l.id, '\\x{}' FROM dimension_set s, layout l \
         WHERE ({}, submission_date) = ({}, {}) AND (kind, min, max, bin_count) = {};",
        ids(line, &["metric", "process", "label"]),
        hex::encode(cell.encode()),
        SET.join(", "),
        ids(line, &SET),
        text(line, "submission_date"),
        numbers(layout_of(line)),
    )
}
