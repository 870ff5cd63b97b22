//! `highwater index redrive`: empties a dead-letter queue by indexing what it announces.

use std::io::{self, Write};
use std::process::ExitCode;

use lambda_indexer::queue::{Redriven, redrive};

use super::parts::{Source, indexer};
use crate::cli::IndexRedrive;

/// Prints a line for each message that is left (its id and why), and says in the end how many of which there were. Fails when
/// some are left, or hidden.
pub(super) async fn run(command: &IndexRedrive) -> anyhow::Result<ExitCode> {
    let data = &command.data;
    let source = Source::open(data, &command.queue, indexer(data, "redrive").await?).await?;
    let mut printed = Ok(());
    let redriven = redrive(&*source.queue, &source.handler, |id, why| {
        let line = writeln!(io::stdout().lock(), "{id}  {}", why.escape_debug());
        if printed.is_ok() {
            printed = line;
        }
    });
    let redriven = redriven.await?;
    printed?;
    eprintln!("{}", words(&redriven));
    let is_empty = redriven.left + redriven.hidden == 0;
    Ok(if is_empty {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn words(redriven: &Redriven) -> String {
    let Redriven {
        done,
        outcome,
        left,
        hidden,
    } = redriven;
    let objects = outcome.counts().map(|(name, count)| format!("{count} {name}"));
    let mut words = format!(
        "{done} messages were done with and deleted (objects: {}), {left} are left",
        objects.join(", ")
    );
    if *hidden > 0 {
        let more = format!(
            "; about {hidden} more are hidden, since somebody else looks at them or an earlier run was cut off: run it again \
             in five minutes"
        );
        words.push_str(&more);
    }
    words
}

#[cfg(test)]
mod tests {
    use lambda_indexer::Outcome;

    use super::*;

    #[test]
    fn the_words_count_what_was_done_and_what_was_not() {
        let mut redriven = Redriven {
            done: 5,
            outcome: Outcome {
                added: 3,
                unreadable: 1,
                ..Outcome::default()
            },
            left: 2,
            hidden: 0,
        };
        let said = words(&redriven);
        assert_eq!(
            said,
            "5 messages were done with and deleted (objects: 3 added, 0 known, 0 refused, 1 unreadable, 0 gone, 0 foreign), \
             2 are left"
        );
        redriven.hidden = 7;
        assert!(words(&redriven).contains("about 7 more are hidden"));
    }
}
