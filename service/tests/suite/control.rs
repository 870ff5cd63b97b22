//! The control socket seen from both sides.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use service::control::{ControlError, ControlHandler, ControlListener, Line, Progress, ask};
use service::shutdown::{Shutdown, Trigger};
use service::task;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

/// Counts to `to`, or fails when that is no number.
struct Counting;

impl ControlHandler for Counting {
    async fn handle(&self, request: Value, progress: Progress) -> Result<Value, String> {
        let to = request["to"]
            .as_u64()
            .ok_or_else(|| "count to what?".to_owned())?;
        for number in 1..to {
            progress.say(json!(number));
            tokio::task::yield_now().await;
        }
        if to == 99 {
            task::sleep(Duration::from_secs(60)).await;
        }
        Ok(json!({"counted": to}))
    }
}

fn start(root: &Path) -> (Trigger, JoinHandle<()>) {
    let (trigger, shutdown) = Shutdown::new();
    let listener = ControlListener::bind(root).expect("bound");
    (
        trigger,
        task::spawn("control", listener.serve(Counting, shutdown)),
    )
}

#[tokio::test]
async fn an_asker_hears_progress_and_the_result() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_trigger, _served) = start(folder.path());
    let mut answers = ask(folder.path(), &json!({"to": 3})).await.expect("asked");
    assert_eq!(answers.next().await.expect("a line"), Line::Progress(json!(1)));
    assert_eq!(answers.next().await.expect("a line"), Line::Progress(json!(2)));
    assert_eq!(
        answers.next().await.expect("a line"),
        Line::Result(json!({"counted": 3}))
    );
    let error = ask(folder.path(), &json!({}))
        .await
        .expect("asked")
        .next()
        .await
        .expect_err("an error");
    assert_eq!(error.to_string(), "count to what?");
}

#[tokio::test]
async fn a_directory_with_a_very_long_path_has_a_socket_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("long".repeat(50)).join("longer".repeat(40));
    std::fs::create_dir_all(&root).expect("made");
    let (trigger, served) = start(&root);
    let answers = ask(&root, &json!({"to": 1})).await.expect("asked");
    assert_eq!(
        answers.result(drop).await.expect("a result"),
        json!({"counted": 1})
    );
    assert!(root.join("control.sock").exists());
    trigger.pull();
    served.await.expect("ended");
    assert!(!root.join("control.sock").exists(), "removed at the end");
}

#[tokio::test]
async fn where_nobody_runs_nobody_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let asked = ask(folder.path(), &json!({})).await;
    assert!(matches!(asked, Err(ControlError::NobodyListens(_))), "{asked:?}");
    let asked = ask(&folder.path().join("absent"), &json!({})).await;
    assert!(matches!(asked, Err(ControlError::NobodyListens(_))), "{asked:?}");
}

#[tokio::test]
async fn a_socket_that_a_dead_process_left_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let dead = std::os::unix::net::UnixListener::bind(folder.path().join("control.sock")).expect("bound");
    drop(dead);
    let asked = ask(folder.path(), &json!({})).await;
    assert!(matches!(asked, Err(ControlError::NobodyListens(_))), "{asked:?}");
    let (_trigger, _served) = start(folder.path());
    let answers = ask(folder.path(), &json!({"to": 1})).await.expect("asked");
    answers.result(drop).await.expect("a result");
}

#[tokio::test]
async fn an_end_breaks_off_what_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let (trigger, served) = start(folder.path());
    let answers = ask(folder.path(), &json!({"to": 99})).await.expect("asked");
    task::sleep(Duration::from_millis(100)).await;
    trigger.pull();
    served.await.expect("ended");
    assert!(matches!(answers.result(drop).await, Err(ControlError::Broken(_))));
}

#[tokio::test]
async fn nonsense_is_answered_and_harms_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_trigger, _served) = start(folder.path());
    let path = folder.path().join("control.sock");
    for nonsense in [b"not json\n".to_vec(), vec![b'['; 1 << 20], b"\n".to_vec()] {
        let mut stream = tokio::net::UnixStream::connect(&path).await.expect("connected");
        let _ = stream.write_all(&nonsense).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
    }
    let answers = ask(folder.path(), &json!({"to": 1})).await.expect("asked");
    answers.result(drop).await.expect("a result");
}
