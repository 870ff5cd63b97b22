//! Asking: kinds of questions to the API about a million aggregates, put by one asker, and what an engine that holds the same rows in
//! memory takes for them, in its own process, without HTTP.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::child;
use super::peers::{self, Peer};
use super::senders::{Requests, quantile};
use crate::million::Asked;
use crate::options::Options;
use crate::outcome::Row;
use crate::pairs::Spread;

/// So many pings make about a million aggregates.
pub(super) const PINGS: usize = 10_000;
/// The engine.
pub(super) const DUCKDB: Peer = Peer {
    module: "duckdb",
    name: "DuckDB in memory, no HTTP",
    bar: None,
};

/// One kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Filtered,
    Grouped,
    Labelled,
}

/// The bars of a kind's median and of its 99th percentile, in milliseconds.
pub(super) type Bars = (Option<f64>, Option<f64>);

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Filtered, Self::Grouped, Self::Labelled];

    const fn name(self) -> &'static str {
        match self {
            Self::Filtered => "one metric, two filters",
            Self::Grouped => "by build date and system",
            Self::Labelled => "keyed metric by label",
        }
    }

    fn targets(self, asked: &Asked) -> Vec<String> {
        match self {
            Self::Filtered => asked.filtered(),
            Self::Grouped => asked.grouped(),
            Self::Labelled => asked.labelled(),
        }
    }
}

/// A program that answers, and what it is asked.
pub(super) struct Asking<'a> {
    pub(super) options: &'a Options,
    /// What stands before the names of rows; may be empty.
    pub(super) place: &'static str,
    /// Of the API.
    pub(super) address: &'a str,
    pub(super) asked: &'a Asked,
    /// Questions of each kind in a round; the first round warms up.
    pub(super) questions: usize,
    /// What the engine took, if it is here.
    pub(super) engine: Option<&'a Value>,
}

impl Asking<'_> {
    /// Asks one kind of question in rounds; the medians of the rounds' quantiles count.
    pub(super) fn ask(&self, kind: Kind, (bar_p50, bar_p99): Bars) -> Result<[Row; 2]> {
        let requests = Requests::gets(kind.targets(self.asked));
        let heartbeat = Requests::gets(vec!["/__lbheartbeat__".to_owned()]);
        let (mut p50, mut p99, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        requests.ask_in_turn(self.address, self.questions)?;
        for _ in 0..self.options.pairs {
            let latencies = requests.ask_in_turn(self.address, self.questions)?;
            p50.push(quantile(&latencies, 0.5) * 1e3);
            p99.push(quantile(&latencies, 0.99) * 1e3);
            alone.push(quantile(&heartbeat.ask_in_turn(self.address, self.questions)?, 0.5) * 1e3);
        }
        let median = |figures: &[f64]| Spread::of(figures.iter().copied()).median;
        let figure = |what: &str, figures: &[f64], bar: Option<f64>| {
            let work = format!("{}{}, {what}", self.place, kind.name());
            Row::figure(work, median(figures), "ms", bar)
        };
        let told = self.engine.map_or_else(
            || DUCKDB.missing(self.options),
            |engine| {
                let of = &engine[kind.name()];
                format!("{}: p50 {} ms, p99 {} ms", DUCKDB.name, of["p50"], of["p99"])
            },
        );
        let note = format!(
            "{} rounds of {} questions by one asker; p50 of the rounds {p50:.3?} ms; HTTP alone p50 {:.3} ms; {told}",
            self.options.pairs,
            self.questions,
            median(&alone)
        );
        Ok([
            figure("p50", &p50, bar_p50).note(note),
            figure("p99", &p99, bar_p99),
        ])
    }
}

/// Has the engine load the rows and answer the same questions, if it is here. Answers its figures by kind.
pub(super) fn engine(options: &Options, rows: &Path, asked: &Asked) -> Result<Option<Value>> {
    if !DUCKDB.is_there(options) {
        return Ok(None);
    }
    let mut command = Command::new(&options.peers_python);
    command
        .arg(peers::folder().join("questions.py"))
        .arg(rows)
        .arg(asked.to_json().to_string());
    let told: Value = serde_json::from_str(&child::run(&mut command)?.printed)?;
    ensure!(told.is_object(), "the engine told no figures");
    let [filtered, grouped, labelled] = Kind::ALL.map(Kind::name);
    Ok(Some(
        json!({ filtered: told["filtered"], grouped: told["grouped"], labelled: told["labelled"] }),
    ))
}

/// What was asked of what, in a line below the table.
pub(super) fn describe(asked: &Asked, aggregates: usize, bytes: u64) -> String {
    format!(
        "{aggregates} aggregates of {PINGS} pings in {:.1} MB; metrics asked for in turn: {}; the keyed one, {}, has {} rows; filters {} and {}",
        bytes as f64 / 1e6,
        asked.metrics.len(),
        asked.keyed,
        asked.keyed_rows,
        asked.application,
        asked.os
    )
}
