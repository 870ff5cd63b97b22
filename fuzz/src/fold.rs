//! Target: the fold against its oracle on one body. Both add the same or refuse for the same reason, and count the same
//! user; what was added can be taken away; twice is twice.

use aggregator::fold::oracle::{self, Totals};
use aggregator::fold::{Folder, PingError};
use ping::SubmissionDate;
use sketch::{UserSketch, coupon_of};

/// A body.
pub fn target(data: &[u8]) {
    let day: SubmissionDate = "20170130".parse().expect("a date");
    let mut folder = Folder::new();
    let fast = folder.read(data, day).map_err(PingError::reason);
    let slow = oracle::read(data, day);
    match (fast, slow) {
        (Ok(()), Ok(ping)) => {
            let once = ping.totals;
            folder.add();
            folder.note_user();
            let batch = folder.take();
            assert_eq!(Totals::of(&batch), once, "the fold adds what the oracle says");
            let users: Vec<_> = batch.users.into_iter().map(|(_, users)| users).collect();
            let client = ping.client_id.and_then(|client| coupon_of(&client));
            let expected = client.map(|client| {
                let mut users = UserSketch::new();
                users.insert(client);
                users
            });
            assert_eq!(users, Vec::from_iter(expected), "the user is the oracle's");
            for _ in 0..3 {
                folder.read(data, day).expect("it was read before");
                folder.add();
            }
            folder.subtract();
            let mut twice = once.clone();
            twice.add(&once, 1);
            assert_eq!(Totals::of(&folder.take()), twice, "three times less one is twice");
        }
        (fast, slow) => assert_eq!(fast.err(), slow.err(), "refused for the same reason"),
    }
}

/// Small bodies that have each section; the large ones are those of `fold_shapes`.
pub fn seeds() -> Vec<Vec<u8>> {
    let histogram =
        r#"{"range":[1,10000],"bucket_count":6,"histogram_type":0,"values":{"0":1,"4":2,"100":0},"sum":9}"#;
    let linear = r#"{"range":[1,5],"bucket_count":3,"histogram_type":1,"values":{"1":7,"5":1},"sum":12}"#;
    let count = r#"{"range":[1,2],"bucket_count":3,"histogram_type":4,"values":{"0":3,"1":0},"sum":3}"#;
    let head = r#""application":{"channel":"nightly","version":"61.0a1","buildId":"20170130030205","name":"Firefox","architecture":"x86-64"},"clientId":"c0ffee00-0000-4000-8000-000000000001","environment":{"system":{"os":{"name":"Windows_NT","version":"10.0"}},"settings":{"e10sEnabled":true}}"#;
    let old = format!(
        r#"{{{head},"payload":{{"simpleMeasurements":{{"firstPaint":100,"uptime":5,"js":{{"a":1}}}},"histograms":{{"A":{histogram},"B":{linear}}},"keyedHistograms":{{"K":{{"x":{count},"y":{histogram}}}}},"childPayloads":[{{"histograms":{{"A":{histogram}}}}}]}}}}"#
    );
    let new = format!(
        r#"{{{head},"payload":{{"processes":{{"parent":{{"scalars":{{"a.b":3,"c":true,"d":"text"}},"keyedScalars":{{"e":{{"f":-1,"g":1.5}}}}}},"content":{{"histograms":{{"A":{histogram}}},"keyedHistograms":{{"K":{{"é\u00e9":{linear}}}}},"scalars":{{"u":18446744073709551615}}}}}}}}}}"#
    );
    vec![
        old.into_bytes(),
        new.into_bytes(),
        b"{}".to_vec(),
        b"[1,{\"a\":null}]".to_vec(),
        b"{\"clientId\":\"C0FFEEC0-FFEE-C0FF-EEC0-FFEEC0FFEEC0\",\"a\":\"\xe9\\ud800\0\"}".to_vec(),
        b"{\"payload\":{\"processes\":{\"\xff\":{\"scalars\":{\"caf\xe9\":1,\"caf\xe8\":2}}}}}".to_vec(),
    ]
}
