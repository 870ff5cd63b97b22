//! The printed report, and the file it is appended to when asked.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use ping::Timestamp;
use service::clock::SystemClock;

use crate::conditions;
use crate::outcome::{Outcome, Row};
use crate::pairs::Pairs;

/// Everything that was printed so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    text: String,
}

impl Report {
    /// Prints a line and keeps it.
    #[expect(clippy::print_stdout, reason = "the report is what the program is run for")]
    pub(crate) fn line(&mut self, line: &str) {
        println!("{line}");
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Prints the head of the table.
    pub(crate) fn head(&mut self) {
        self.line("");
        self.line(&format!(
            "{:<46} {:>7} {:>7} {:>7}  {:>8}  {:>17}  {:<7} against",
            "work", "min", "median", "max", "bar", "CPU-s/1000 pings", ""
        ));
    }

    /// Prints a row.
    pub(crate) fn row(&mut self, row: &Row) {
        let bar = row.bar.map_or_else(String::new, |bar| bar.to_string());
        let line = match &row.outcome {
            Outcome::Ratios { pairs, pings } => {
                let each = |seconds: f64| seconds * 1_000.0 / *pings as f64;
                let cost = format!(
                    "{:.3} / {:.3}",
                    each(pairs.ours().median),
                    each(pairs.yardstick().median)
                );
                ratios(row, pairs, &bar, &cost)
            }
            Outcome::Compared { pairs, unit } => {
                let (ours, yardstick) = (pairs.ours().median, pairs.yardstick().median);
                ratios(
                    row,
                    pairs,
                    &bar,
                    &format!("{} / {} {unit}", short(ours), short(yardstick)),
                )
            }
            Outcome::Figure { value, unit } => {
                format!(
                    "{:<46} {:>7} {:>7} {unit:<7}  {bar:>8}  {:>17}  {:<7} {}",
                    row.work,
                    "",
                    short(*value),
                    "",
                    row.verdict(*value),
                    row.yardstick
                )
            }
            Outcome::LeftOut(reason) => {
                let word = if row.void.is_some() { "VOID" } else { "left out" };
                format!("{:<46} {word}: {reason}", row.work)
            }
        };
        self.line(line.trim_end());
    }

    /// Prints what stands below the table: notes, and the raw pairs.
    pub(crate) fn notes(&mut self, rows: &[Row]) {
        self.line("");
        for row in rows {
            for note in &row.notes {
                self.line(&format!("{}: {note}", row.work));
            }
        }
        self.line("raw pairs, ours/yardstick in the order taken; CPU seconds where no unit is named:");
        for row in rows {
            match &row.outcome {
                Outcome::Ratios { pairs, .. } => self.line(&format!("  {}: {}", row.work, pairs.raw())),
                Outcome::Compared { pairs, unit } => {
                    self.line(&format!("  {}, {unit}: {}", row.work, pairs.raw()));
                }
                Outcome::Figure { .. } | Outcome::LeftOut(_) => {}
            }
        }
    }

    /// Appends all of it to `docs/performance/<date>.txt`; says where.
    pub(crate) fn record(&self) -> Result<PathBuf> {
        let now = Timestamp::from_micros(SystemClock::shared().now_micros());
        let date = now.submission_date().to_string();
        let folder = conditions::project().join("docs/performance");
        fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
        let path = folder.join(format!("{}-{}-{}.txt", &date[..4], &date[4..6], &date[6..]));
        let mut text = String::new();
        let _ = writeln!(text, "==== {date}");
        text.push_str(&self.text);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("could not write {}", path.display()))?;
        Ok(path)
    }
}

/// A row of ratios, with what ours and the yardstick's cost.
fn ratios(row: &Row, pairs: &Pairs, bar: &str, cost: &str) -> String {
    let ratios = pairs.ratios();
    format!(
        "{:<46} {:>7.3} {:>7.3} {:>7.3}  {bar:>8}  {cost:>17}  {:<7} {}",
        row.work,
        ratios.min,
        ratios.median,
        ratios.max,
        row.verdict(ratios.median),
        row.yardstick
    )
}

/// A figure in few characters.
fn short(figure: f64) -> String {
    if figure.abs() < 100.0 {
        format!("{figure:.3}")
    } else {
        format!("{figure:.0}")
    }
}
