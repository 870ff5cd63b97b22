//! Peers in Python, installed beside the project by `make bench`, and scripts of ours that run them.

use std::path::PathBuf;
use std::process::Command;

use super::child;
use crate::conditions::project;
use crate::options::Options;

/// A peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// The Python module.
    pub(crate) module: &'static str,
    /// What the table calls it.
    pub(crate) name: &'static str,
    /// The highest ratio of ours to it that is good.
    pub(crate) bar: Option<f64>,
}

impl Peer {
    /// Whether it can be run.
    pub(crate) fn is_there(&self, options: &Options) -> bool {
        let mut command = Command::new(&options.peers_python);
        child::run(command.arg("-c").arg(format!("import {}", self.module))).is_ok()
    }

    /// Why it cannot be run, and what brings it.
    pub(crate) fn missing(&self, options: &Options) -> String {
        format!(
            "no {} for {}: `make bench` installs it",
            self.module,
            options.peers_python.display()
        )
    }
}

/// Where the scripts are.
pub(crate) fn folder() -> PathBuf {
    project().join("bench/peers")
}
