//! A program that is run to its end: what it printed, and the CPU time of all its threads, start and end included.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::usage::{children_cpu_seconds, cpu_seconds};

/// How much of what a program complains of is repeated.
const COMPLAINT_BYTES: usize = 2_000;

/// A program that ended well.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// CPU seconds of all its threads, user and system.
    pub(crate) cpu_seconds: f64,
    /// CPU seconds of the processes it ran and waited for, and of those that these did.
    pub(crate) children_cpu_seconds: f64,
    /// What it printed.
    pub(crate) printed: String,
}

/// Runs a program to its end.
///
/// # Errors
/// When it cannot be started or does not end well: with the end of what it complained of.
pub(crate) fn run(command: &mut Command) -> Result<Ended> {
    let name = command.get_program().to_string_lossy().into_owned();
    let complaints = tempfile::tempfile()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(complaints.try_clone()?)
        .spawn()
        .with_context(|| format!("could not start {name}"))?;
    let mut printed = String::new();
    let mut output = child.stdout.take().context("the output is a pipe")?;
    let read = output.read_to_string(&mut printed);
    // Now it is waited for without being forgotten: the kernel still tells its CPU time.
    let ended = waitid(
        WaitId::Pid(Pid::from_child(&child)),
        WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
    );
    let spent = cpu_seconds(child.id()).and_then(|own| Ok((own, children_cpu_seconds(child.id())?)));
    let status = child.wait()?;
    ensure!(status.success(), "{name}: {status}: {}", complaint(complaints)?);
    read?;
    ended?;
    let (cpu_seconds, children_cpu_seconds) = spent?;
    Ok(Ended {
        cpu_seconds,
        children_cpu_seconds,
        printed,
    })
}

/// The end of what was complained of.
fn complaint(mut complaints: File) -> Result<String> {
    let mut bytes = Vec::new();
    complaints.rewind()?;
    complaints.read_to_end(&mut bytes)?;
    let end = bytes.split_off(bytes.len().saturating_sub(COMPLAINT_BYTES));
    Ok(String::from_utf8_lossy(&end).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_told_by_what_it_printed_and_burned() {
        let ended = run(Command::new("sh").args([
            "-c",
            "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done",
        ]));
        let ended = ended.expect("a shell");
        assert_eq!(ended.printed, "done\n");
        assert!(ended.cpu_seconds > 0.0, "counting to 200,000 took no time");
    }

    #[test]
    fn a_child_that_fails_is_an_error_with_its_last_words() {
        let failed = run(Command::new("sh").args(["-c", "echo what went wrong >&2; exit 3"]));
        let text = format!("{:#}", failed.expect_err("exit code 3"));
        assert!(text.contains("what went wrong") && text.contains('3'), "{text}");
    }
}
