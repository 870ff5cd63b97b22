//! The store in LocalStack's S3 keeps the law that all back ends keep, and an upload in parts is completed on a condition.

use std::sync::Arc;

use disk::RealDisk;
use serde_json::json;
use store::S3Store;
use store::conformance::{LeftOut, the_law_is_kept_but_for};
use tests::aws::{LocalStack, REGION};

use crate::settings::store_settings;

/// It compares where a list is to begin with keys as they are encoded, so it is off by those that are not plain; and it looks
/// whether an object is there before it writes one, not in one step, so that of two puts at once both may create.
const BEYOND: [LeftOut; 2] = [LeftOut::EncodedKeys, LeftOut::ConcurrentPuts];

#[tokio::test]
async fn s3_in_localstack_keeps_the_law_but_for_what_it_cannot_do() {
    let Some(localstack) = LocalStack::shared() else {
        return;
    };
    let bucket = make_bucket(&localstack, "law");
    for in_parts in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = store_settings(&localstack, &format!("s3://{bucket}/parts-{in_parts}"));
        if in_parts {
            settings.multipart_above = 0;
            settings.part_bytes = 5 << 20;
        }
        let store = S3Store::open(settings).await.expect("opened");
        the_law_is_kept_but_for(&BEYOND, Arc::new(store), RealDisk::shared(), folder.path()).await;
    }
}

#[test]
fn a_localstack_that_starts_and_ends_takes_nothing_from_another() {
    let Some(localstack) = LocalStack::shared() else {
        return;
    };
    let (bucket, key) = (make_bucket(&localstack, "stays"), "an-object");
    let object = json!({"Bucket": bucket, "Key": key, "Body": "here"});
    localstack.call("s3", "put_object", &object);
    let datum = json!({"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.0}]});
    localstack.call("cloudwatch", "put_metric_data", &datum);
    drop(LocalStack::another().expect("it is installed"));
    // It keeps metrics in a file, and objects of a few kilobytes and more.
    localstack.call("cloudwatch", "put_metric_data", &datum);
    let there = json!({"Bucket": bucket, "Key": key});
    assert_eq!(localstack.call("s3", "get_object", &there)["Body"], "here");
}

#[test]
fn a_completion_on_the_condition_that_nothing_is_there_does_not_replace_what_is() {
    let Some(localstack) = LocalStack::shared() else {
        return;
    };
    let bucket = make_bucket(&localstack, "completions");
    let upload = json!({"Bucket": bucket, "Key": "k"});
    let begun = localstack.call("s3", "create_multipart_upload", &upload);
    let id = &begun["UploadId"];
    let part =
        json!({"Bucket": bucket, "Key": "k", "UploadId": id, "PartNumber": 1, "Body": "of the upload"});
    let part = localstack.call("s3", "upload_part", &part);
    let complete = |condition: bool| {
        let mut arguments = json!({
            "Bucket": bucket, "Key": "k", "UploadId": id,
            "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        });
        if condition {
            arguments["IfNoneMatch"] = json!("*");
        }
        localstack.try_call("s3", "complete_multipart_upload", &arguments)
    };
    let meanwhile = json!({"Bucket": bucket, "Key": "k", "Body": "put meanwhile"});
    localstack.call("s3", "put_object", &meanwhile);
    let refused = complete(true).expect_err("an object is there");
    assert!(refused.contains("PreconditionFailed"), "{refused}");
    let got = || localstack.call("s3", "get_object", &json!({"Bucket": bucket, "Key": "k"}));
    assert_eq!(got()["ContentLength"], json!("put meanwhile".len()));
    complete(false).expect("without the condition it replaces it");
    assert_eq!(got()["ContentLength"], json!("of the upload".len()));
}

fn make_bucket(localstack: &LocalStack, name: &str) -> String {
    let place = json!({"Bucket": name, "CreateBucketConfiguration": {"LocationConstraint": REGION}});
    localstack.call("s3", "create_bucket", &place);
    name.to_owned()
}
