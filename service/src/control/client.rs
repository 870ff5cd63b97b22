//! The asking side of the control socket.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;

use super::socket::{SOCKET, SocketPath};

/// One line of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// How far the work is.
    Progress(Value),
    /// The end: what came of it.
    Result(Value),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No process runs on the data directory: the caller may take its lock.
    #[error("no process runs on the data directory {path}", path = .0.display())]
    NobodyListens(PathBuf),
    /// Another user's process runs there, or the directory cannot be looked into.
    #[error(
        "permission denied: {path} is not open to this user: ask as the user whose process runs on the data directory, or as \
         root",
        path = .0.display()
    )]
    Denied(PathBuf),
    /// The process answered with an error.
    #[error("{0}")]
    Refused(String),
    /// The process ended, or the connection broke, before the answer's end.
    #[error("the process that runs on the data directory ended before it answered; look at its log")]
    Broken(#[source] Option<io::Error>),
}

/// An answer, line by line.
#[derive(Debug)]
pub struct Answers {
    lines: Lines<BufReader<OwnedReadHalf>>,
}

/// Asks the process that runs on a data directory.
///
/// # Errors
/// [`ControlError::NobodyListens`] when none runs there; [`ControlError::Broken`].
pub async fn ask(root: &Path, request: &Value) -> Result<Answers, ControlError> {
    let broken = |error| ControlError::Broken(Some(error));
    let socket = match SocketPath::of(root) {
        Ok(socket) => UnixStream::connect(&socket.path).await,
        Err(error) => Err(error),
    };
    let stream = socket.map_err(|error| unreached(root, error))?;
    let (reader, mut writer) = stream.into_split();
    writer
        .write_all(format!("{request}\n").as_bytes())
        .await
        .map_err(broken)?;
    writer.shutdown().await.map_err(broken)?;
    Ok(Answers {
        lines: BufReader::new(reader).lines(),
    })
}

/// Why the socket of a data directory cannot be reached.
fn unreached(root: &Path, error: io::Error) -> ControlError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            ControlError::NobodyListens(root.to_owned())
        }
        io::ErrorKind::PermissionDenied => ControlError::Denied(root.join(SOCKET)),
        _ => ControlError::Broken(Some(error)),
    }
}

impl Answers {
    /// The next line. After a [`Line::Result`] there is none.
    ///
    /// # Errors
    /// [`ControlError::Refused`] is the answer's end; [`ControlError::Broken`].
    pub async fn next(&mut self) -> Result<Line, ControlError> {
        let line = self
            .lines
            .next_line()
            .await
            .map_err(|error| ControlError::Broken(Some(error)))?;
        let line = line.ok_or(ControlError::Broken(None))?;
        let mut line: Value =
            serde_json::from_str(&line).map_err(|error| ControlError::Broken(Some(error.into())))?;
        if let Some(error) = line.get("error") {
            return Err(ControlError::Refused(
                error.as_str().unwrap_or_default().to_owned(),
            ));
        }
        Ok(match line.get_mut("progress") {
            Some(progress) => Line::Progress(progress.take()),
            None => Line::Result(line.get_mut("result").map(Value::take).unwrap_or_default()),
        })
    }

    /// Reads to the result, showing each line of progress.
    ///
    /// # Errors
    /// Those of [`Self::next`].
    pub async fn result(mut self, mut show: impl FnMut(Value)) -> Result<Value, ControlError> {
        loop {
            match self.next().await? {
                Line::Progress(progress) => show(progress),
                Line::Result(result) => return Ok(result),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_of_another_user_is_no_process_that_ended() {
        let of = |kind: io::ErrorKind| unreached(Path::new("/data/of/another"), kind.into());
        let denied = of(io::ErrorKind::PermissionDenied).to_string();
        assert!(
            denied.contains("permission denied") && denied.contains("/data/of/another/control.sock"),
            "{denied}"
        );
        assert!(matches!(
            of(io::ErrorKind::NotFound),
            ControlError::NobodyListens(_)
        ));
        assert!(matches!(
            of(io::ErrorKind::ConnectionReset),
            ControlError::Broken(_)
        ));
    }
}
