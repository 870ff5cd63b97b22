//! `highwater status --watch`: a screen that is renewed every second, or, without a terminal, a line each.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anyhow::bail;
use serde_json::Value;
use service::control::ControlError;
use service::shutdown::Signals;
use service::task;

use super::{from_process, screen};
use crate::cli::Status;

/// How often it asks.
const EVERY: Duration = Duration::from_secs(1);

/// From the top of the screen; what stood there is written over, so that nothing flickers.
const HOME: &str = "\x1b[H";
/// Clears the rest of a line.
const CLEAR_LINE: &str = "\x1b[K";
/// Clears what lies below.
const CLEAR_BELOW: &str = "\x1b[J";
/// Clears the screen.
const CLEAR: &str = "\x1b[2J";

/// Watches until it is interrupted, or nobody reads.
pub(super) async fn run(command: &Status) -> anyhow::Result<()> {
    let mut signals = Signals::catch()?;
    let terminal = io::stdout().is_terminal() && !command.json;
    let mut known: Option<Value> = None;
    if terminal {
        write!(io::stdout(), "{CLEAR}")?;
    }
    loop {
        let (status, lost) = match from_process(command).await {
            Ok(status) => (known.insert(status), false),
            Err(error @ (ControlError::Refused(_) | ControlError::Denied(_))) => return Err(error.into()),
            Err(_) => match &mut known {
                Some(known) => (known, true),
                None => bail!(
                    "no process runs on {}: start `highwater serve --data-dir {0}`, or ask without --watch for the counts \
                     on its disk",
                    command.data.data_dir.display()
                ),
            },
        };
        let shown = match (command.json, terminal) {
            (true, _) => show_json(status, lost),
            (false, true) => show_screen(command, status, lost),
            (false, false) => show_line(status, lost),
        };
        shown?;
        tokio::select! {
            biased;
            _ = signals.next() => return Ok(()),
            () = task::sleep(EVERY) => {}
        }
    }
}

fn show_json(status: &Value, lost: bool) -> io::Result<()> {
    if lost {
        Ok(())
    } else {
        writeln!(io::stdout(), "{status}")
    }
}

fn show_line(status: &Value, lost: bool) -> io::Result<()> {
    let line = match lost {
        false => screen::line(status),
        true => format!(
            "{} lost the process does not answer; this was its last number",
            status["at"].as_str().unwrap_or("-")
        ),
    };
    writeln!(io::stdout(), "{line}")
}

fn show_screen(command: &Status, status: &Value, lost: bool) -> io::Result<()> {
    let head = match lost {
        false => format!(
            "highwater on {} at {}",
            command.data.data_dir.display(),
            status["at"].as_str().unwrap_or("-")
        ),
        true => {
            "ALARM    The process does not answer: it ended, or starts again. These are its last numbers."
                .to_owned()
        }
    };
    let mut text = format!("{HOME}{head}{CLEAR_LINE}\n{CLEAR_LINE}\n");
    for line in screen::lines(status) {
        text.push_str(&line);
        text.push_str(CLEAR_LINE);
        text.push('\n');
    }
    text.push_str("\nCtrl-C ends this; the pipeline runs on.");
    text.push_str(CLEAR_LINE);
    text.push_str(CLEAR_BELOW);
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
