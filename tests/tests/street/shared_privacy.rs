//! The client secret where store, index and aggregates are shared: edges hash with it, aggregators count by it, and all know which it is.

use bytes::Bytes;
use serde_json::{Value, json};
use tests::free_address;

use crate::shared::{BUCKET, Shared};

const DECLARATION: &str = r"$highwater: product/1
sources: [inkpress/printer]
client_id: { path: /id }
metrics:
  printer:
    drawers: { type: quantity, path: /drawers }
drop: [/id]
";

/// Where edges note with which secret they hash.
const NOTE: &str = "below/privacy/client-secret";

fn printer(number: u64) -> (String, Value) {
    let client = format!("5f3a1c2e-0000-4000-8000-{:012x}", number % 3);
    let uri = format!("/submit/inkpress/printer/1/c0b1f5d2-83a4-4e0b-b6a9-{number:012x}");
    (uri, json!({"id": client, "drawers": number}))
}

/// What tells another secret.
const OTHER: &str = "0123456789abcdef";

#[test]
fn shared_aggregates_know_the_secret_of_the_edges_and_refuse_another_one_with_words() {
    let Some(shared) = Shared::start() else {
        return println!("left out: there is no PostgreSQL");
    };
    let file = shared.file("printer.yaml", DECLARATION);
    let secret = shared.secret("secret", &[7; 32]);
    let products = ["--products", file.as_str()];
    let noted = || {
        let known = "SELECT convert_from(client_secret, 'UTF8') FROM highwater_aggregates.about";
        shared.postgres.sql(&shared.database, known)
    };
    let mut aggregator = shared.aggregator("first", &products);
    assert_eq!(noted(), "", "nobody hashes yet");
    aggregator.terminate();
    let by_secret = [&products[..], &["--client-secret-file", &secret]].concat();
    let pings: Vec<_> = (0..6).map(printer).collect();
    shared.send_by(&pings, &by_secret);
    let mut aggregator = shared.aggregator("second", &products);
    let status = shared.settled();
    assert_eq!(status["folded"], 6);
    let known = noted();
    let note = shared.s3.object(BUCKET, NOTE).expect("the edge noted it").bytes;
    assert_eq!(note, format!("highwater-client-secret 1 {known}\n").as_bytes());
    aggregator.terminate();

    // Another one is noted in the store: who emptied it, or named another store, began anew there.
    let note = format!("highwater-client-secret 1 {OTHER}\n");
    shared.s3.put(BUCKET, NOTE, Bytes::from(note));
    let listen = free_address();
    for command in [
        &["aggregate", "--listen", &listen][..],
        &["rebuild"],
        &["rebuild", "--source", "inkpress/printer"],
        &["replay-errors"],
    ] {
        let refused = shared.run(&[command, &products].concat());
        let words = &refused.stderr;
        assert!(!refused.success, "{command:?}");
        for part in [
            "(privacy/client-secret)",
            &format!("hashed with the secret {known}, and {OTHER} is given"),
            &format!("--client-secret-replaces {known}"),
        ] {
            assert!(words.contains(part), "{command:?}: {words}");
        }
    }
    assert_eq!((noted(), shared.settled()), (known.clone(), status));

    // On purpose it may be.
    let on_purpose = [&products[..], &["--client-secret-replaces", &known]].concat();
    let mut aggregator = shared.aggregator("third", &on_purpose);
    shared.settled();
    for _ in 0..300 {
        if noted() == OTHER {
            break;
        }
        tests::pause(std::time::Duration::from_millis(100));
    }
    assert_eq!(noted(), OTHER);
    aggregator.terminate();
    shared.well(&[&["replay-errors"][..], &products].concat());
}
