//! What installs packages, with a stand-in for apt-get: it waits for its turn, and says why it ends when it does.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// What apt-get says while another process has one of its locks.
const HELD: &str =
    "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (unattended-upgr)";

/// Runs `debian.sh` where `apt-get` is a script and everybody is root; what it says, and which calls apt-get got.
fn install(apt_get: &str, patience: &str) -> (Output, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let stand_in = |name: &str, script: &str| {
        let (text, path) = (folder.path().join("text"), folder.path().join(name));
        fs::write(&text, format!("#!/bin/sh\n{script}\n")).expect("written");
        // Another process writes it: a child that another thread forks meanwhile would inherit the open file, and what is open
        // for writing cannot be run.
        let mut install = Command::new("install");
        let installed = install.args(["-m", "755"]).arg(&text).arg(&path).status();
        assert!(installed.expect("install runs").success());
    };
    stand_in("id", "echo 0");
    stand_in("sleep", "");
    stand_in(
        "apt-get",
        &format!("cd {}; echo \"$*\" >>calls\n{apt_get}", folder.path().display()),
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/install/debian.sh");
    let path = format!(
        "{}:{}",
        folder.path().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = Command::new(script)
        .args(["one", "two"])
        .env("PATH", path)
        .env("APT_PATIENCE", patience)
        .output()
        .expect("it starts");
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap_or_default();
    (output, calls)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn it_waits_while_another_process_has_the_lock_and_says_so_once() {
    // Held for two looks, at each of the two steps.
    let script = format!(
        "count=$(grep -c \"^$1\" calls)\nif [ \"$count\" -lt 3 ]; then echo '{HELD}' >&2; exit 100; fi"
    );
    let (output, calls) = install(&script, "900");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(calls.matches("update").count(), 3, "{calls}");
    assert_eq!(
        calls
            .matches("install -y -qq --no-install-recommends one two")
            .count(),
        3,
        "{calls}"
    );
    let told = said(&output);
    assert_eq!(told.matches("waiting for another process").count(), 2, "{told}");
    assert!(told.contains("4711"), "{told}");
}

#[test]
fn a_lock_that_is_held_for_ever_ends_it_with_what_to_do() {
    let (output, _) = install(&format!("echo '{HELD}' >&2; exit 100"), "6");
    let told = said(&output);
    assert!(
        !output.status.success() && told.contains("has held apt's lock for 6 s: wait until it ends"),
        "{told}"
    );
}

#[test]
fn any_other_failure_ends_it_at_once_with_apts_own_words() {
    let (output, calls) = install(
        "echo 'E: Unable to locate package one' >&2; [ $1 = update ] || exit 100",
        "900",
    );
    let told = said(&output);
    assert!(!output.status.success(), "{told}");
    assert!(
        told.contains("Unable to locate package one") && told.contains("apt-get install failed"),
        "{told}"
    );
    assert_eq!(calls.lines().count(), 2, "{calls}");
}
