//! The answering side of the control socket.

use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::socket::SocketPath;
use crate::shutdown::Shutdown;
use crate::task;

/// A request is one line of at most so many bytes.
const REQUEST_BYTES_MAX: u64 = 64 << 10;

/// How long the line may take to come: the asker is on this machine.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests answered at once.
const ASKERS_MAX: usize = 16;

/// Lines of progress that may wait for a slow asker.
const PROGRESS_WAITING_MAX: usize = 16;

/// Does what is asked.
pub trait ControlHandler: Send + Sync + 'static {
    /// The result of a request, or what went wrong. The work goes on when the asker leaves; it is dropped when the
    /// shutdown is wished.
    fn handle(
        &self,
        request: Value,
        progress: Progress,
    ) -> impl Future<Output = Result<Value, String>> + Send;
}

/// Tells the asker how far the work is.
#[derive(Clone, Debug)]
pub struct Progress(mpsc::Sender<Value>);

impl Progress {
    /// Says how far the work is. Dropped when the asker reads too slowly: only the newest counts.
    pub fn say(&self, progress: Value) {
        let _ = self.0.try_send(progress);
    }
}

/// The bound socket. It is removed when this is dropped.
pub struct ControlListener {
    listener: UnixListener,
    path: SocketPath,
}

impl ControlListener {
    /// Binds the socket of a data directory, replacing one that a dead process left. The caller holds the lock.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn bind(root: &Path) -> io::Result<Self> {
        let path = SocketPath::of(root)?;
        match std::fs::remove_file(&path.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path.path)?;
        std::fs::set_permissions(&path.path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }

    /// Answers until the shutdown is wished.
    pub async fn serve<H: ControlHandler>(self, handler: H, shutdown: Shutdown) {
        let (handler, room) = (Arc::new(handler), Arc::new(Semaphore::new(ASKERS_MAX)));
        loop {
            let permit = Arc::clone(&room).acquire_owned();
            let accepted = async {
                let permit = permit.await.expect("the semaphore is never closed");
                self.listener.accept().await.map(|(stream, _)| (stream, permit))
            };
            let accepted = tokio::select! {
                biased;
                () = shutdown.wished() => return,
                accepted = accepted => accepted,
            };
            let Ok((stream, permit)) = accepted else {
                task::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (handler, shutdown) = (Arc::clone(&handler), shutdown.clone());
            task::spawn("control", async move {
                let _permit = permit;
                tokio::select! {
                    biased;
                    () = shutdown.wished() => {}
                    () = answer(&*handler, stream) => {}
                }
            });
        }
    }
}

impl Drop for ControlListener {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path.path);
    }
}

async fn answer<H: ControlHandler>(handler: &H, stream: UnixStream) {
    let (reader, mut writer) = stream.into_split();
    let mut line = Vec::new();
    let mut reader = BufReader::new(reader.take(REQUEST_BYTES_MAX));
    let whole = timeout(REQUEST_TIMEOUT, reader.read_until(b'\n', &mut line)).await;
    if !matches!(whole, Ok(Ok(_))) || line.is_empty() {
        return;
    }
    let result = match serde_json::from_slice(&line) {
        Ok(request) => work(handler, request, &mut writer).await,
        Err(error) => Err(format!("the request is no line of JSON: {error}")),
    };
    let last = match result {
        Ok(result) => json!({"result": result}),
        Err(error) => json!({"error": error}),
    };
    say(&mut writer, &last).await;
}

/// Lets the handler work and passes its progress on beside it: an asker that does not read holds nothing up.
async fn work<H: ControlHandler>(
    handler: &H,
    request: Value,
    writer: &mut (impl AsyncWriteExt + Unpin),
) -> Result<Value, String> {
    let (sender, mut progress) = mpsc::channel(PROGRESS_WAITING_MAX);
    let tell = async {
        while let Some(said) = progress.recv().await {
            if !say(writer, &json!({"progress": said})).await {
                return;
            }
        }
    };
    let (result, ()) = tokio::join!(handler.handle(request, Progress(sender)), tell);
    result
}

/// Writes a line; whether it was taken. When the asker has left or does not read, the work goes on without it.
async fn say(writer: &mut (impl AsyncWriteExt + Unpin), line: &Value) -> bool {
    let line = format!("{line}\n");
    let written = timeout(REQUEST_TIMEOUT, writer.write_all(line.as_bytes())).await;
    matches!(written, Ok(Ok(())))
}
