//! Opening: connector, TLS, region and credentials. What must come from the environment is tried in a process of its own.

use std::process::Command;

use loopback_s3::{ACCESS_KEY_ID, Fault, LoopbackS3, Operation, SECRET_ACCESS_KEY};
use store::{Put, S3OpenError, S3Settings, S3SettingsError, S3Store, Store};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::rig::{BUCKET, Kind, Rig, bytes, kind, settings};

/// Set in the process that a test starts.
const CHILD: &str = "HIGHWATER_TEST_S3_ENDPOINT";

/// Runs one of the ignored tests below in a process with nothing of AWS's in its environment but what is given.
fn run_alone(test: &str, endpoint: &str, environment: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--ignored", "--nocapture"]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    // Nothing is asked outside loopback, and no profile of whoever runs the test is read.
    let away = [
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ];
    command.envs(away).env(CHILD, endpoint);
    command.envs(environment.iter().copied());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn endpoint() -> String {
    std::env::var(CHILD).expect("started by another test")
}

#[tokio::test]
async fn credentials_come_from_the_environment() {
    let s3 = LoopbackS3::start(&[BUCKET]).await.unwrap();
    let keys = [
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
    ];
    let url = s3.endpoint_url();
    let run = service::task::blocking(move || {
        run_alone("s3::opening::puts_with_what_the_environment_gives", &url, &keys);
    });
    run.await;
    assert_eq!(s3.len(BUCKET), 1);
}

/// The SDK's chain asks through the same connector as S3 itself.
#[tokio::test]
async fn credentials_come_from_where_a_container_is_given_them() {
    let s3 = LoopbackS3::start(&[BUCKET]).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let giver = format!("http://{}/keys", listener.local_addr().unwrap());
    let given = format!(
        "{{\"AccessKeyId\":\"{ACCESS_KEY_ID}\",\"SecretAccessKey\":\"{SECRET_ACCESS_KEY}\",\"Token\":\"t\",\
         \"Expiration\":\"2999-01-01T00:00:00Z\"}}"
    );
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{given}",
        given.len()
    );
    let giving = async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut asked = [0; 4096];
        let len = socket.read(&mut asked).await.unwrap();
        socket.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&asked[..len]).into_owned()
    };
    let url = s3.endpoint_url();
    let run = service::task::blocking(move || {
        let from = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", giver.as_str())];
        run_alone("s3::opening::puts_with_what_the_environment_gives", &url, &from);
    });
    let (asked, ()) = tokio::join!(giving, run);
    assert!(asked.starts_with("GET /keys "), "{asked}");
    assert_eq!(s3.len(BUCKET), 1);
}

#[tokio::test]
#[ignore = "run by the tests above"]
async fn puts_with_what_the_environment_gives() {
    let settings = S3Settings {
        credentials: None,
        region: None,
        ..settings(&endpoint())
    };
    let store = S3Store::open(settings).await.unwrap();
    assert_eq!(store.put_if_absent("a", bytes("x")).await, Ok(Put::Created));
    assert_eq!(store.get("a").await.as_deref(), Ok(b"x".as_slice()));
}

#[tokio::test]
async fn without_credentials_nothing_is_sent_and_the_error_says_what_to_give() {
    let s3 = LoopbackS3::start(&[BUCKET]).await.unwrap();
    let url = s3.endpoint_url();
    let run = service::task::blocking(move || run_alone("s3::opening::finds_no_credentials", &url, &[]));
    run.await;
    assert_eq!(s3.calls(Operation::PutObject), 0);
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn finds_no_credentials() {
    let settings = S3Settings {
        credentials: None,
        ..settings(&endpoint())
    };
    let store = S3Store::open(settings).await.unwrap();
    let error = store.put_if_absent("a", bytes("x")).await.unwrap_err();
    assert_eq!(kind(&error), Kind::Determinate, "{error}");
    assert!(
        error.to_string().contains("give this process credentials"),
        "{error}"
    );
}

#[tokio::test]
async fn without_a_region_a_bucket_of_aws_is_not_opened() {
    let run = service::task::blocking(|| run_alone("s3::opening::finds_no_region", "", &[]));
    run.await;
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn finds_no_region() {
    let opened = S3Store::open(S3Settings::new(BUCKET)).await;
    let expected = S3OpenError::NoRegion {
        bucket: BUCKET.to_owned(),
    };
    assert_eq!(opened.map(|_| ()), Err(expected));
    let error = S3Store::open(S3Settings::new("A")).await.map(|_| ());
    assert!(matches!(
        error,
        Err(S3OpenError::Settings(S3SettingsError::Bucket { .. }))
    ));
}

#[tokio::test]
async fn wrong_keys_are_refused_by_a_server_that_checks_signatures() {
    let rig = Rig::with(|settings| {
        let credentials = settings.credentials.as_mut().unwrap();
        credentials.secret_access_key = "another".to_owned();
    })
    .await;
    let error = rig.store.put_if_absent("a", bytes("x")).await.unwrap_err();
    assert_eq!(kind(&error), Kind::Determinate, "{error}");
    assert!(!error.to_string().contains("another"), "{error}");
    assert_eq!((rig.s3.calls(Operation::PutObject), rig.kept("a")), (1, None));
}

#[tokio::test]
async fn an_https_endpoint_is_spoken_to_in_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let first = async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut first = [0; 3];
        socket.read_exact(&mut first).await.unwrap();
        first
    };
    let rig = Rig::with(|settings| {
        settings.endpoint_url = Some(format!("https://{address}"));
        settings.tries_max = 1;
    })
    .await;
    let (put, first) = tokio::join!(rig.store.put_if_absent("a", bytes("x")), first);
    // A handshake record, of TLS 1.0 for the sake of old boxes on the way (RFC 8446, section 5.1).
    assert_eq!(first, [22, 3, 1]);
    assert_eq!(
        kind(&put.unwrap_err()),
        Kind::Determinate,
        "no connection was made"
    );
}

#[tokio::test]
async fn a_store_opens_while_s3_is_away_and_works_when_it_is_back() {
    let rig = Rig::new().await;
    rig.s3.always(Operation::PutObject, Fault::Cut);
    rig.store.put_if_absent("a", bytes("x")).await.unwrap_err();
    rig.s3.always(Operation::PutObject, Fault::None);
    assert_eq!(rig.store.put_if_absent("a", bytes("x")).await, Ok(Put::Created));
}
