//! Other work on the machine: processes that never rest, one for each processor, ended with whoever started them.

use std::process::{Child, Command, Stdio};

/// Processes at full tilt.
#[derive(Debug)]
pub struct Load {
    children: Vec<Child>,
}

impl Load {
    /// Starts so many, with this niceness. Each ends by itself when its input is closed, so also when this process is killed.
    ///
    /// # Errors
    /// When one cannot be started.
    pub fn start(processes: usize, niceness: u8) -> std::io::Result<Self> {
        // The inner loop never rests; the outer shell ends it once nobody holds the pipe any more.
        const SPIN: &str =
            "while :; do :; done & spin=$!; trap 'kill $spin; exit' INT TERM HUP; read -r _; kill $spin";
        let mut load = Self { children: Vec::new() };
        for _ in 0..processes {
            let mut command = Command::new("nice");
            command
                .args(["-n", &niceness.to_string(), "sh", "-c", SPIN])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            load.children.push(command.spawn()?);
        }
        Ok(load)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.children {
            drop(child.stdin.take());
            // It was started by this process, so it can be waited for.
            let _ = child.wait();
        }
    }
}
