//! A server's process, and the shell that watches over it: when the test's process ends, in whatever way, the pipe
//! between the two closes, and the shell ends the server by its id and removes the folder.

use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};

use crate::programs::Programs;

/// Takes the folder to remove and the server's command. A line on its input is the name of the signal to end with.
const WATCH: &str = r#"
folder=$1; shift
"$@" </dev/null >>"$folder/server.log" 2>&1 &
server=$!
if read -r signal; then
    kill -s "$signal" "$server"
    wait "$server"
else
    kill -s QUIT "$server"
    wait "$server"
    rm -rf "$folder"
fi
"#;

/// A server that runs under the eyes of a shell.
#[derive(Debug)]
pub(crate) struct Guardian {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Guardian {
    /// Starts the server on the data in `folder/data`.
    pub(crate) fn start(programs: &Programs, folder: &Path, options: &[String]) -> Self {
        let mut command = programs.command(Path::new("sh"));
        command.args(["-c", WATCH, "sh"]).arg(folder);
        command
            .arg(programs.path("postgres"))
            .arg("-D")
            .arg(folder.join("data"));
        for option in options {
            command.args(["-c", option]);
        }
        let mut shell = command
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell starts");
        Self {
            pipe: shell.stdin.take(),
            shell,
        }
    }

    /// Whether the shell, and so the server, has not been ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.shell.try_wait(), Ok(None))
    }

    /// Ends the server and waits until it is gone.
    pub(crate) fn end(mut self, signal: &str) {
        if let Some(mut pipe) = self.pipe.take() {
            writeln!(pipe, "{signal}").expect("the shell listens");
        }
        self.shell.wait().expect("the shell ends with its server");
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // It was started by this process, so it can be waited for.
        let _ = self.shell.wait();
    }
}
