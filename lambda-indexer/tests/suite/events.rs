//! Every shape in which the creation of an object arrives is read alike.

use lambda_indexer::event::{Announced, CreatedObject, EventError, Ignored, Invocation};
use proptest::prelude::*;
use serde_json::{Value, json};

const CHUNK_KEY: &str = "pings/v1/submission_date=20170131/source_name=telemetry/source_version=4/doc_type=main/\
                         app_name=a%20b%2B/app_update_channel=nightly/app_version=54.0a1/\
                         app_build_id=20170130030205/07070707070707070707070707070707-1-42.zst";

fn created(key: &str) -> CreatedObject {
    CreatedObject {
        s3_bucket: "chunks".to_owned(),
        key: key.to_owned(),
        version: Some("v1".to_owned()),
    }
}

fn only(key: &str) -> Announced {
    Announced {
        created: vec![created(key)],
        ..Announced::default()
    }
}

/// Writes every byte that is not a letter or a digit as `%XX`, a space as told.
fn encode(key: &str, space: &str) -> String {
    let write = |byte: u8| match byte {
        b' ' => space.to_owned(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    key.bytes().map(write).collect()
}

fn s3_record(name: &str, written: &str) -> Value {
    json!({
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1", "eventName": name,
        "userIdentity": {"principalId": "EXAMPLE"}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "c",
            "bucket": {"name": "chunks", "ownerIdentity": {"principalId": "EXAMPLE"}, "arn": "arn:aws:s3:::chunks"},
            "object": {"key": written, "size": 1024, "eTag": "e", "versionId": "v1", "sequencer": "0A"}
        }
    })
}

fn s3(written: &str) -> Value {
    json!({"Records": [s3_record("ObjectCreated:Put", written)]})
}

fn event_bridge(key: &str) -> Value {
    json!({
        "version": "0", "id": "1", "detail-type": "Object Created", "source": "aws.s3", "resources": ["arn:aws:s3:::chunks"],
        "detail": {
            "version": "0", "bucket": {"name": "chunks"}, "reason": "CompleteMultipartUpload",
            "object": {"key": key, "size": 5, "etag": "e", "version-id": "v1", "sequencer": "0A"}
        }
    })
}

fn in_sns(inside: &Value) -> Value {
    json!({"Records": [{"EventVersion": "1.0", "EventSource": "aws:sns", "Sns": sns_message(inside)}]})
}

/// As SNS writes it into a queue.
fn sns_message(inside: &Value) -> Value {
    json!({"Type": "Notification", "MessageId": "m", "TopicArn": "arn", "Message": inside.to_string()})
}

fn in_sqs(insides: &[Value]) -> Value {
    let message = |(number, inside): (usize, &Value)| {
        json!({
            "messageId": format!("id-{number}"), "receiptHandle": "r", "body": inside.to_string(), "eventSource": "aws:sqs",
            "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {}
        })
    };
    json!({"Records": insides.iter().enumerate().map(message).collect::<Vec<_>>()})
}

fn read(event: &Value) -> Result<Invocation, EventError> {
    Invocation::read(event.to_string().as_bytes())
}

/// What all messages, or the whole, announce.
fn announced(event: &Value) -> Vec<Announced> {
    match read(event).expect("a known shape") {
        Invocation::Messages(messages) => messages.into_iter().map(|message| message.announced).collect(),
        Invocation::Objects(announced) => vec![announced],
        Invocation::Reconcile => panic!("no comparison was wished"),
    }
}

#[test]
fn a_chunk_is_announced_alike_by_every_sender() {
    for space in ["+", "%20"] {
        let direct = s3(&encode(CHUNK_KEY, space));
        let senders = [
            direct.clone(),
            in_sqs(std::slice::from_ref(&direct)),
            in_sns(&direct),
            in_sqs(&[sns_message(&direct)]),
            event_bridge(CHUNK_KEY),
            in_sqs(&[event_bridge(CHUNK_KEY)]),
            in_sqs(&[sns_message(&event_bridge(CHUNK_KEY))]),
            event_bridge(&encode(CHUNK_KEY, space)),
        ];
        for sender in senders {
            assert_eq!(announced(&sender), [only(CHUNK_KEY)], "{sender}");
        }
    }
}

#[test]
fn several_records_of_one_event_are_read_in_their_order_and_removals_are_passed_over() {
    let event = json!({"Records": [
        s3_record("ObjectCreated:Put", "b"),
        s3_record("ObjectRemoved:Delete", "c"),
        s3_record("ObjectCreated:CompleteMultipartUpload", "a"),
        s3_record("s3:ObjectCreated:Copy", "b"),
        s3_record("ObjectRestore:Completed", "d"),
    ]});
    let [announced]: [Announced; 1] = announced(&event).try_into().expect("one");
    assert_eq!(announced.created, ["b", "a", "b"].map(created));
    let other = |name: &str| Ignored::Other {
        name: name.to_owned(),
    };
    assert_eq!(
        announced.ignored,
        [other("ObjectRemoved:Delete"), other("ObjectRestore:Completed")]
    );
    assert_eq!(announced.unreadable, []);
    assert!(announced.ignored[0].to_string().contains("ObjectRemoved:Delete"));
    let deleted = json!({"detail-type": "Object Deleted", "detail": {"bucket": {"name": "chunks"}}});
    assert_eq!(
        read(&deleted).map(|_| ()),
        Ok(()),
        "EventBridge tells of deletions, too"
    );
}

#[test]
fn each_message_of_a_queue_is_answered_for_by_itself() {
    let event = in_sqs(&[s3("a"), json!("no notification"), json!({"hello": 1}), s3("b")]);
    let Ok(Invocation::Messages(messages)) = read(&event) else {
        panic!("messages of a queue");
    };
    let ids: Vec<&str> = messages.iter().map(|message| message.id.as_str()).collect();
    assert_eq!(ids, ["id-0", "id-1", "id-2", "id-3"]);
    assert_eq!(messages[0].announced, only("a"));
    assert!(matches!(
        messages[1].announced.unreadable[..],
        [EventError::Malformed(_)]
    ));
    let unknown = EventError::Unknown {
        fields: vec!["hello".to_owned()],
    };
    assert_eq!(messages[2].announced.unreadable, [unknown]);
    assert_eq!(messages[3].announced, only("b"));
}

#[test]
fn the_test_of_a_notification_announces_nothing() {
    let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-01-01T00:00:00.000Z", "Bucket": "chunks"});
    let nothing = Announced {
        ignored: vec![Ignored::Test],
        ..Announced::default()
    };
    for sender in [
        test.clone(),
        in_sqs(std::slice::from_ref(&test)),
        in_sns(&test),
        in_sqs(&[sns_message(&test)]),
    ] {
        assert_eq!(announced(&sender), std::slice::from_ref(&nothing), "{sender}");
        let answered = read(&sender).expect("a known shape").answer_of_nothing();
        assert!(answered.is_some(), "nothing has to be asked for it");
    }
    for asks in [
        s3("a"),
        in_sqs(&[test, s3("a")]),
        s3("%FF"),
        json!({"highwater": "reconcile"}),
    ] {
        assert_eq!(
            read(&asks).expect("a known shape").answer_of_nothing(),
            None,
            "{asks}"
        );
    }
}

#[test]
fn a_schedule_wishes_a_comparison_and_nothing_else_does() {
    assert_eq!(
        read(&json!({"highwater": "reconcile"})),
        Ok(Invocation::Reconcile)
    );
    for other in [
        json!({"highwater": "rebuild"}),
        json!({}),
        json!({"Records": null}),
    ] {
        let error = read(&other).expect_err("of no known shape");
        assert!(error.to_string().contains("reconcile"), "{error}");
    }
    let packed = in_sqs(&[json!({"highwater": "reconcile"})]);
    assert_eq!(
        announced(&packed)[0].unreadable.len(),
        1,
        "no message of a queue does"
    );
}

#[test]
fn what_cannot_be_read_is_said_and_holds_up_no_other_record() {
    let event = json!({"Records": [
        s3_record("ObjectCreated:Put", "%FF"),
        {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "chunks"}}},
        {"eventSource": "aws:s3"},
        s3_record("ObjectCreated:Put", "a"),
    ]});
    let [announced]: [Announced; 1] = announced(&event).try_into().expect("one");
    assert_eq!(announced.created, [created("a")]);
    assert_eq!(announced.unreadable.len(), 3);
    assert_eq!(announced.unreadable[0], EventError::Key("%FF".to_owned()));
    for payload in [&b"{"[..], b"", b"[]", b"null", b"{\"Records\": 1}", b"\xff"] {
        assert!(Invocation::read(payload).is_err(), "{}", payload.escape_ascii());
    }
    let half = json!({"Records": [{"messageId": "id-0"}]});
    assert!(read(&half).is_err(), "without a body nobody knows what to do");
}

#[test]
fn notifications_packed_without_end_are_refused() {
    let mut event = s3("a");
    for packed in 0..8 {
        let announced = announced(&in_sqs(std::slice::from_ref(&event)));
        assert_eq!(
            announced[0].unreadable.is_empty(),
            packed < 4,
            "packed {packed} times"
        );
        event = sns_message(&event);
    }
}

#[test]
fn a_percent_sign_that_begins_no_escape_stays() {
    assert_eq!(announced(&s3("100%25+100%+%4"))[0], only("100% 100% %4"));
}

proptest! {
    #[test]
    fn any_key_is_read_as_it_is_stored(key in "\\PC{1,60}|[ +%&=/a-z]{1,20}") {
        for space in ["+", "%20"] {
            let direct = s3(&encode(&key, space));
            for sender in [direct.clone(), in_sqs(&[sns_message(&direct)]), in_sns(&direct)] {
                prop_assert_eq!(announced(&sender), [only(&key)]);
            }
        }
        prop_assert_eq!(announced(&event_bridge(&key)), [only(&key)]);
    }

    #[test]
    fn any_mixture_of_records_is_told_apart(kinds in prop::collection::vec(any::<bool>(), 0..30)) {
        let record = |(number, creates): (usize, &bool)| {
            let name = if *creates { "ObjectCreated:Put" } else { "ObjectRemoved:Delete" };
            s3_record(name, &number.to_string())
        };
        let event = json!({"Records": kinds.iter().enumerate().map(record).collect::<Vec<_>>()});
        let keys: Vec<String> = (0..kinds.len()).filter(|number| kinds[*number]).map(|number| number.to_string()).collect();
        let announced = announced(&event).remove(0);
        prop_assert_eq!(announced.created, keys.iter().map(|key| created(key)).collect::<Vec<_>>());
        prop_assert_eq!(announced.ignored.len(), kinds.len() - keys.len());
    }
}
