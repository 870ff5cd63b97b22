//! `highwater mapping check`: a declaration, its examples, and pings tried on it.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use ping::{Submission, SubmissionDate, Timestamp};
use readers::declaration::{Declaration, Example, nearest};
use readers::declared::Submitted;
use readers::explain::{Explained, explain, kept, unmet};
use service::clock::SystemClock;

use super::sent::{Sent, header, read};
use super::tally::Tally;
use crate::cli::{Mapping, MappingCheck};
use crate::product;

/// Runs the command.
pub(crate) fn run(command: &Mapping) -> anyhow::Result<ExitCode> {
    let Mapping::Check(check) = command;
    let declaration = product::read(&check.file)?;
    let today = Timestamp::from_micros(SystemClock::shared().now_micros()).submission_date();
    let chosen = check.source.as_deref().map(|name| place_of(&declaration, name));
    let chosen = chosen.transpose()?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{}: {} sources, {} dimensions, {} metrics",
        check.file.display(),
        declaration.sources.len(),
        declaration.dimensions.len(),
        declaration.metrics.len()
    )?;
    for line in kept(&declaration) {
        writeln!(out, "{line}")?;
    }
    let asked = product::asks_too_much(&declaration);
    for too_much in &asked {
        writeln!(out, "refused by --products: {too_much}")?;
    }
    let bad = run_examples(&declaration, today, &mut out)?;
    let tally = try_pings(check, &declaration, (chosen, today), &mut out)?;
    tally.write(&mut out)?;
    Ok(if bad == 0 && tally.unreadable == 0 && asked.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs the examples of the file. How many did not become what they must.
fn run_examples(
    declaration: &Declaration,
    today: SubmissionDate,
    out: &mut impl Write,
) -> anyhow::Result<usize> {
    let mut bad = 0;
    for (number, example) in (1..).zip(&declaration.examples) {
        let explained = explain_example(declaration, example, today);
        let explained = explained.context("the source of an example is declared")?;
        let mut faults: Vec<String> = Vec::new();
        for expected in &example.expect {
            if let Some(words) = unmet(expected, &explained) {
                faults.push(format!("line {}: {words}", expected.at.line));
            }
        }
        if explained.error.is_some() && faults.is_empty() {
            faults.push(format!("line {}: the body cannot be read", example.at.line));
        }
        if faults.is_empty() {
            let expected = example.expect.len();
            writeln!(
                out,
                "example {number} ({}): all {expected} expected are there",
                example.source
            )?;
            continue;
        }
        bad += 1;
        writeln!(out, "example {number} ({}): not as expected", example.source)?;
        for fault in faults {
            writeln!(out, "  {fault}")?;
        }
        write!(out, "{explained}")?;
    }
    Ok(bad)
}

fn explain_example(declaration: &Declaration, example: &Example, today: SubmissionDate) -> Option<Explained> {
    let place = declaration.place_of(&example.source)?;
    let submission = Submission::parse(&example.uri).ok();
    let submitted = Submitted {
        received: example.received.unwrap_or(today),
        header: &|name| header(&example.headers, name),
        submission: submission.as_ref(),
    };
    explain(declaration, place, &example.body, submitted)
}

/// Shows what pings become.
fn try_pings(
    check: &MappingCheck,
    declaration: &Declaration,
    (chosen, today): (Option<usize>, SubmissionDate),
    out: &mut impl Write,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    for path in &check.pings {
        for sent in read(path)? {
            let place = match &sent.source {
                Some(source) => declaration.place_of(source),
                None => chosen.or_else(|| likeliest(declaration, &sent, today)),
            };
            let explained = place.and_then(|place| explain_sent(declaration, place, &sent, today));
            let (Some(place), Some(explained)) = (place, explained) else {
                tally.of_others += 1;
                continue;
            };
            let source = declaration.sources[place].to_string();
            writeln!(out, "\n{}: {source}", sent.name)?;
            write!(out, "{explained}")?;
            tally.add(&source, &explained);
        }
    }
    Ok(tally)
}

fn explain_sent(
    declaration: &Declaration,
    place: usize,
    sent: &Sent,
    today: SubmissionDate,
) -> Option<Explained> {
    let submitted = Submitted {
        received: sent.received.unwrap_or(today),
        header: &|name| sent.header(name),
        submission: sent.submission.as_ref(),
    };
    explain(declaration, place, &sent.body, submitted)
}

/// The source under which most of a ping counts; of several the first.
fn likeliest(declaration: &Declaration, sent: &Sent, today: SubmissionDate) -> Option<usize> {
    let counted = |place: usize| {
        let explained = explain_sent(declaration, place, sent, today);
        explained.map_or(0, |explained| explained.counted.len())
    };
    (0..declaration.sources.len())
        .rev()
        .max_by_key(|place| counted(*place))
}

fn place_of(declaration: &Declaration, name: &str) -> anyhow::Result<usize> {
    let names: Vec<String> = declaration.sources.iter().map(ToString::to_string).collect();
    let found = names.iter().position(|known| known == name);
    found.with_context(|| {
        let near = nearest(name, names.iter().map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
        format!("--source {name} is none of the declaration's sources{near}")
    })
}
