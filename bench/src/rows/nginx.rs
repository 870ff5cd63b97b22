//! nginx as a peer: it takes each body into a file of its own, then answers. Debian's, as a child of this process.
//!
//! The file is written before the answer and not synced. Of the ways in which nginx can do either, the cheapest was taken.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, getuid, kill_process};
use tempfile::TempDir;

use super::process::free_address;
use super::usage::{self, ThreadTimes};

/// Where programs for administrators lie, which is not in everybody's PATH.
const ELSEWHERE: &str = "/usr/sbin/nginx";
/// How often its start and its end are looked for, each time 20 ms later.
const LOOKS: usize = 500;

/// A running nginx on a folder of its own, both gone when it is dropped.
pub(crate) struct Nginx {
    master: Child,
    folder: TempDir,
    /// Where bodies are put.
    pub(crate) address: String,
}

/// What it does with bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bodies {
    /// A temporary file each, gone with the answer: what nginx does with a body for which its memory is too small. It
    /// passes the request on without the body, to itself over kept connections, since it reads no body for an answer of
    /// its own.
    Temporary,
    /// A file each that stays, under a fresh name: a PUT by its WebDAV module.
    Kept,
}

/// The program, if it is installed.
pub(crate) fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("nginx"))
        .chain([PathBuf::from(ELSEWHERE)])
        .find(|file| file.is_file())
}

/// What it calls itself.
pub(crate) fn version(program: &Path) -> Result<String> {
    let output = Command::new(program).arg("-v").output()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let version = text
        .split_once("nginx version: ")
        .context("nginx tells no version")?;
    Ok(version.1.trim().to_owned())
}

impl Nginx {
    /// Starts it and waits until it listens.
    pub(crate) fn start(program: &Path, bodies: Bodies) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = free_address()?;
        fs::create_dir(folder.path().join("put"))?;
        let file = folder.path().join("nginx.conf");
        fs::write(&file, configuration(folder.path(), &address, bodies))?;
        let master = Command::new(program)
            .arg("-c")
            .arg(&file)
            .arg("-e")
            .arg(folder.path().join("error.log"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        let mut nginx = Self {
            master,
            folder,
            address,
        };
        nginx.wait_until_up()?;
        Ok(nginx)
    }

    fn wait_until_up(&mut self) -> Result<()> {
        for _ in 0..LOOKS {
            if let Some(status) = self.master.try_wait()? {
                let log = fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default();
                bail!("nginx ended at its start ({status}): {}", log.trim());
            }
            if TcpStream::connect(&self.address).is_ok() {
                return Ok(());
            }
            pause();
        }
        bail!("nginx does not listen within 10 seconds")
    }

    /// CPU time so far, of all its processes.
    pub(crate) fn threads(&self) -> Result<ThreadTimes> {
        let mut processes = usage::children(self.master.id())?;
        processes.push(self.master.id());
        ThreadTimes::of(&processes)
    }

    /// How many bodies lie in files that stay.
    pub(crate) fn bodies(&self) -> Result<usize> {
        Ok(fs::read_dir(self.folder.path().join("put"))?.count())
    }
}

impl Drop for Nginx {
    /// The master takes its workers along when it is asked to end; killed, it would leave them.
    fn drop(&mut self) {
        let workers = usage::children(self.master.id()).unwrap_or_default();
        end(self.master.id(), Signal::TERM);
        for _ in 0..LOOKS {
            if !matches!(self.master.try_wait(), Ok(None)) {
                return;
            }
            pause();
        }
        for worker in workers {
            end(worker, Signal::KILL);
        }
        // It may have ended by itself.
        let _ = self.master.kill();
        let _ = self.master.wait();
    }
}

fn end(process: u32, signal: Signal) {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may be gone.
        let _ = kill_process(pid, signal);
    }
}

#[expect(clippy::disallowed_methods, reason = "nothing else is done meanwhile")]
fn pause() {
    thread::sleep(Duration::from_millis(20));
}

/// Two workers, as ours has two threads; buffers that hold a body, so that each is written at once; no log of accesses.
fn configuration(folder: &Path, address: &str, bodies: Bodies) -> String {
    let user = if getuid().is_root() { "user root root;" } else { "" };
    let folder = folder.display();
    let location = match bodies {
        Bodies::Temporary => {
            "client_body_in_file_only clean; proxy_pass http://itself; proxy_http_version 1.1;
            proxy_set_header Connection \"\"; proxy_pass_request_body off; proxy_set_header Content-Length \"\";"
                .to_owned()
        }
        Bodies::Kept => format!(
            "client_body_in_file_only on; root {folder}/put; rewrite ^ /$request_id break; dav_methods PUT;"
        ),
    };
    format!(
        "daemon off;
worker_processes 2;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    client_body_buffer_size 128k;
    client_max_body_size 8m;
    keepalive_requests 100000000;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream itself {{ server unix:{folder}/itself; keepalive 64; }}
    server {{ listen unix:{folder}/itself; return 200 OK; }}
    server {{
        listen {address};
        location / {{
            {location}
        }}
    }}
}}
"
    )
}
