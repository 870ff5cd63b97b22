//! A chunk that is put into the deployed bucket is in PostgreSQL soon after, and the deployed Lambda did it.

use std::sync::Arc;

use index_schema::{Index, PostgresIndex, PostgresSettings};
use postgres_for_tests::Postgres;
use serde_json::{Value, json};
use store::{Payload, Put, S3Store, Store};
use tests::aws::{Deployment, LocalStack};

use crate::chunks::{self, RECORDS};
use crate::settings::store_settings;

/// A deployed stack, its store and its index.
struct World {
    deployment: Deployment,
    store: S3Store,
    index: Arc<PostgresIndex>,
    _postgres: Postgres,
}

impl World {
    async fn deploy(stack: &str) -> Option<Self> {
        let localstack = LocalStack::shared()?;
        let postgres = Postgres::start(&[])?;
        let address = postgres.tcp_url(&postgres.database());
        let parameters = [("StorePrefix", "below/this"), ("BatchWindowSeconds", "1")];
        let deployment = Deployment::up(&localstack, stack, &address, &parameters);
        let settings = store_settings(&localstack, deployment.output("Store"));
        Some(Self {
            store: S3Store::open(settings).await.expect("opened"),
            index: PostgresIndex::open(PostgresSettings::new(address))
                .await
                .expect("opened"),
            deployment,
            _postgres: postgres,
        })
    }

    async fn put(&self, plan: u64, bytes: bytes::Bytes) -> String {
        let key = chunks::key(plan);
        let put = self.store.put_if_absent(&key, Payload::Bytes(bytes)).await;
        assert_eq!(put, Ok(Put::Created));
        key
    }

    /// The object's whole name, as the log has it.
    fn name(key: &str) -> String {
        format!("below/this/{key}")
    }

    /// What S3 says when the object of this key was created.
    fn notification(&self, key: &str) -> Value {
        let written: String = Self::name(key)
            .bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect();
        json!({"Records": [{
            "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": self.deployment.output("ChunkBucket")}, "object": {"key": written}}
        }]})
    }
}

#[tokio::test]
async fn a_chunk_put_into_the_deployed_bucket_is_indexed_by_the_deployed_lambda() {
    let Some(world) = World::deploy("indexing").await else {
        return;
    };
    let deployment = &world.deployment;

    let key = world.put(1, chunks::bytes(1)).await;
    deployment.wait_for_outcome("added", &World::name(&key));
    let pending = world.index.pending(9).await.expect("pending");
    let found: Vec<_> = pending
        .iter()
        .map(|chunk| (&chunk.entry.key, chunk.entry.records))
        .collect();
    assert_eq!(found, [(&key, RECORDS)]);
    let ran = |line: &String| line.starts_with("REPORT RequestId: ") && line.contains("Init Duration: ");
    let logs = deployment.wait_for_logs("a line about a start", |lines| lines.iter().any(ran));
    println!(
        "{}",
        logs.iter().find(|line| ran(line)).expect("a line about a start")
    );

    // Again, of one that is gone, and of one that is no chunk: all done with.
    deployment.announce(&world.notification(&key));
    deployment.wait_for_outcome("known", &World::name(&key));
    deployment.announce(&world.notification(&chunks::key(2)));
    deployment.wait_for_outcome("gone", &World::name(&chunks::key(2)));
    let junk = world.put(3, "no chunk".into()).await;
    deployment.wait_for_outcome("unreadable", &World::name(&junk));
    let aside = world.index.set_aside().await.expect("an answer");
    assert_eq!(aside.iter().map(|aside| &aside.key).collect::<Vec<_>>(), [&junk]);
    deployment.wait("every message to be done", || {
        deployment.messages("ChunkQueue") == 0
    });
    assert_eq!(deployment.messages("DeadLetterQueue"), 0);

    // What was never announced is found by the comparison that the schedule starts.
    let lost = chunks::key(4);
    world.put_unannounced(&lost, chunks::bytes(4)).await;
    let compared = deployment.invoke(&json!({"highwater": "reconcile"}));
    assert!(!compared.failed, "{}", compared.payload);
    let counts = |name: &str| compared.payload[name].as_u64();
    assert_eq!(
        (counts("listed"), counts("added"), counts("unanswered")),
        (Some(3), Some(1), Some(0))
    );
    assert_eq!(world.index.contains(&[lost]).await.expect("an answer"), [true]);
    let refused = deployment.invoke(&json!({"hello": "world"}));
    assert!(
        refused.failed && refused.payload.to_string().contains("hello"),
        "{}",
        refused.payload
    );
}

impl World {
    /// Puts a chunk while nobody is told of it.
    async fn put_unannounced(&self, key: &str, bytes: bytes::Bytes) {
        self.deployment.set_notifications(false);
        let put = self.store.put_if_absent(key, Payload::Bytes(bytes)).await;
        assert_eq!(put, Ok(Put::Created));
        self.deployment.set_notifications(true);
    }
}

/// Nobody listens on port 1.
const NO_DATABASE: &str = "postgres://nobody@127.0.0.1:1/none?sslmode=disable";

#[tokio::test]
async fn a_chunk_that_cannot_be_indexed_for_long_reaches_the_dead_letter_queue_and_nothing_is_lost() {
    let Some(localstack) = LocalStack::shared() else {
        return;
    };
    let soon = [
        ("TimeoutSeconds", "10"),
        ("QueueVisibilitySeconds", "10"),
        ("TriesOfMessage", "2"),
    ];
    let deployment = Deployment::up(&localstack, "letters", NO_DATABASE, &soon);
    let arguments = json!({
        "Bucket": deployment.output("ChunkBucket"), "Key": chunks::key(1), "Body": "is not even read"
    });
    localstack.call("s3", "put_object", &arguments);
    // As it came from S3: it can be moved back as it is.
    let look = json!({
        "QueueUrl": deployment.output("DeadLetterQueue"), "MaxNumberOfMessages": 10, "VisibilityTimeout": 0
    });
    deployment.wait("a dead letter", || {
        let letters = localstack.call("sqs", "receive_message", &look);
        letters.to_string().contains("ObjectCreated:Put")
    });
    let says = |lines: &[String], words: &str| lines.iter().any(|line| line.contains(words));
    deployment.wait_for_logs("words of what is not ready", |lines| {
        says(lines, "NotReady") && says(lines, "127.0.0.1:1")
    });
}
