//! Target: what a Lambda is invoked with. Whatever is read announces the same objects when it is written again as S3 writes.

use lambda_indexer::event::{Announced, CreatedObject, Invocation};
use serde_json::{Value, json};

/// The payload of an invocation (JSON).
pub fn target(data: &[u8]) {
    match Invocation::read(data) {
        Ok(Invocation::Objects(announced)) => write_and_read(&announced),
        Ok(Invocation::Messages(messages)) => {
            messages
                .iter()
                .for_each(|message| write_and_read(&message.announced));
        }
        Ok(Invocation::Reconcile) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn write_and_read(announced: &Announced) {
    for spaces in ["+", "%20"] {
        let records: Vec<Value> = announced
            .created
            .iter()
            .map(|object| record(object, spaces))
            .collect();
        let written = json!({ "Records": records }).to_string();
        let read = Invocation::read(written.as_bytes());
        let only = Announced {
            created: announced.created.clone(),
            ..Announced::default()
        };
        assert_eq!(read, Ok(Invocation::Objects(only)));
    }
}

fn record(object: &CreatedObject, space: &str) -> Value {
    let write = |byte: u8| match byte {
        b' ' => space.to_owned(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02x}"),
    };
    let key: String = object.key.bytes().map(write).collect();
    json!({
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": object.s3_bucket}, "object": {"key": key, "versionId": object.version}}
    })
}

/// Of every sender.
pub fn seeds() -> Vec<Vec<u8>> {
    let s3 = json!({"Records": [
        {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": "a%3Db+c%C3%BC", "versionId": "v"}}},
        {"eventName": "s3:ObjectRemoved:Delete", "s3": {"bucket": {"name": "b"}, "object": {"key": "d"}}}
    ]});
    let event_bridge = json!({
        "detail-type": "Object Created", "source": "aws.s3",
        "detail": {"bucket": {"name": "b"}, "object": {"key": "a=b c", "version-id": "v"}}
    });
    let sns = json!({"Type": "Notification", "Message": s3.to_string()});
    let queue = json!({"Records": [
        {"messageId": "1", "body": s3.to_string()},
        {"messageId": "2", "body": sns.to_string()},
        {"messageId": "3", "body": event_bridge.to_string()}
    ]});
    let topic = json!({"Records": [{"Sns": {"Message": s3.to_string()}}]});
    let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent"});
    [
        s3,
        event_bridge,
        sns,
        queue,
        topic,
        test,
        json!({"highwater": "reconcile"}),
    ]
    .map(|event| event.to_string().into_bytes())
    .to_vec()
}
