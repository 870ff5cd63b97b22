//! Loops on threads of their own.

use service::task;
use tokio::sync::mpsc;

#[tokio::test]
async fn a_threads_loop_takes_what_is_sent_and_ends_with_its_channel() {
    let (sender, mut receiver) = mpsc::channel::<u64>(1);
    let (answers, mut answered) = mpsc::channel(100);
    let body = async move {
        let mut sum = 0;
        while let Some(number) = receiver.recv().await {
            sum += number;
            assert!(task::send_blocking(&answers, sum), "somebody receives");
        }
    };
    let thread = task::thread("adder", body).expect("a thread");
    for number in 1..=50 {
        sender.send(number).await.expect("it receives");
    }
    drop(sender);
    thread.ended().await;
    let mut sums = Vec::new();
    answered.recv_many(&mut sums, 100).await;
    assert_eq!(
        sums,
        (1..=50).map(|last| last * (last + 1) / 2).collect::<Vec<u64>>()
    );
}

#[tokio::test]
async fn a_thread_that_panics_ends() {
    let thread = task::thread("unlucky", async { panic!("as the test wants") });
    thread.expect("a thread").ended().await;
}
