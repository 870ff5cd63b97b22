//! The listener on loopback, and what the script makes of each request.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpError, S3};
use tokio::net::{TcpListener, TcpStream};

use crate::s3::InMemory;
use crate::script::Script;
use crate::{Fault, Kept, Operation};

/// The key id that is let in.
pub const ACCESS_KEY_ID: &str = "loopback";

/// The secret that signs.
pub const SECRET_ACCESS_KEY: &str = "loopback-secret";

type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// A server that lives as long as the runtime it was started on.
#[derive(Clone, Debug)]
pub struct LoopbackS3 {
    address: SocketAddr,
    kept: InMemory,
    script: Arc<Mutex<Script>>,
}

impl LoopbackS3 {
    /// Starts one with these buckets, in memory.
    ///
    /// # Errors
    /// When loopback gives no port.
    pub async fn start(buckets: &[&str]) -> io::Result<Self> {
        let kept = InMemory::default();
        for bucket in buckets {
            kept.lock().make_bucket(bucket);
        }
        Self::serve(kept.clone(), kept).await
    }

    /// Starts the script and the listener in front of another implementation; [`Self::object`] and the like see nothing
    /// of what it keeps.
    ///
    /// # Errors
    /// When loopback gives no port.
    pub async fn in_front_of(s3: impl S3) -> io::Result<Self> {
        Self::serve(s3, InMemory::default()).await
    }

    async fn serve(s3: impl S3, kept: InMemory) -> io::Result<Self> {
        let mut builder = S3ServiceBuilder::new(s3);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY_ID, SECRET_ACCESS_KEY));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let server = Self {
            address: listener.local_addr()?,
            kept,
            script: Arc::default(),
        };
        let door = Door {
            s3: builder.build(),
            script: Arc::clone(&server.script),
            last: Arc::default(),
        };
        service::task::spawn("loopback-s3", async move {
            while let Ok((socket, _)) = listener.accept().await {
                service::task::spawn("loopback-s3-connection", door.clone().serve(socket));
            }
        });
        Ok(server)
    }

    /// Where it listens, such as `http://127.0.0.1:40001`.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next requests of this kind, one fault each; then as before.
    pub fn next(&self, operation: Operation, faults: impl IntoIterator<Item = Fault>) {
        self.script().next(operation, faults);
    }

    /// Every request of this kind for which [`Self::next`] said nothing.
    pub fn always(&self, operation: Operation, fault: Fault) {
        self.script().always(operation, fault);
    }

    /// How often something was asked for, whatever became of it.
    pub fn calls(&self, operation: Operation) -> u64 {
        self.script().calls(operation)
    }

    /// How many requests of this kind were under way at once, at most.
    pub fn most_at_once(&self, operation: Operation) -> u64 {
        self.script().most_at_once(operation)
    }

    /// An object as it is kept.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Kept> {
        self.kept.lock().object(bucket, key).ok().cloned()
    }

    /// Keeps an object, whatever was there.
    pub fn put(&self, bucket: &str, key: &str, bytes: Bytes) {
        let object = Kept {
            e_tag: crate::objects::e_tag_of(&bytes),
            bytes,
            crc32c: None,
            settings: crate::Settings::default(),
        };
        let mut kept = self.kept.lock();
        kept.make_bucket(bucket);
        kept.put(bucket, key, object, false).expect("the bucket is there");
    }

    /// All objects of a bucket, by key.
    pub fn objects(&self, bucket: &str) -> Vec<(String, Bytes)> {
        let kept = self.kept.lock();
        let objects = kept.bucket(bucket).into_iter().flatten();
        objects
            .map(|(key, object)| (key.clone(), object.bytes.clone()))
            .collect()
    }

    /// How many objects a bucket has.
    pub fn len(&self, bucket: &str) -> usize {
        self.kept.lock().bucket(bucket).map_or(0, BTreeMap::len)
    }

    /// Uploads in parts that were begun and neither completed nor aborted.
    pub fn open_uploads(&self) -> usize {
        self.kept.lock().open_uploads()
    }

    /// Takes a bucket and its objects away.
    pub fn remove_bucket(&self, bucket: &str) {
        self.kept.lock().remove_bucket(bucket);
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        // Queues and counters: nothing that a panic could leave half done.
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service behind a connection.
#[derive(Clone)]
struct Door {
    s3: S3Service,
    script: Arc<Mutex<Script>>,
    last: Arc<Mutex<BTreeMap<Operation, (StatusCode, Bytes)>>>,
}

impl Door {
    async fn serve(self, socket: TcpStream) {
        let service = service_fn(|request| self.clone().answer(request));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
        // A connection that was cut ends in an error, as was wished.
        let _ = connection.await;
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Answer, HttpError> {
        let operation = Operation::of(&request);
        let fault = self
            .script
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(operation);
        let _at_once = AtOnce::begin(&self.script, operation);
        match fault {
            Fault::CutInUpload => return Err(cut()),
            Fault::Deaf => return std::future::pending().await,
            _ => {}
        }
        let (head, body) = request.into_parts();
        let mut body = body.collect().await.map_err(|_| cut())?.to_bytes();
        if fault == Fault::DamagedInUpload {
            body = damaged(&body);
        }
        let request = Request::from_parts(head, Body::from(body));
        match fault {
            Fault::None | Fault::DamagedInUpload => Ok(self.done(operation, request).await?.whole()),
            Fault::Slow(pause) => {
                service::task::sleep(pause).await;
                Ok(self.done(operation, request).await?.whole())
            }
            Fault::Refused { status, code } => Ok(refusal(status, code)),
            Fault::Cut | Fault::CutInUpload => Err(cut()),
            Fault::Silent | Fault::Deaf => std::future::pending().await,
            Fault::DoneThenRefused { status, code } => {
                self.done(operation, request).await?;
                Ok(refusal(status, code))
            }
            Fault::DoneThenCut => {
                self.done(operation, request).await?;
                Err(cut())
            }
            Fault::DoneThenSilent => {
                self.done(operation, request).await?;
                std::future::pending().await
            }
            Fault::DoneThenCutInBody => Ok(self.done(operation, request).await?.cut_in_body()),
            Fault::DoneThenStalled => Ok(self.done(operation, request).await?.stalled()),
            Fault::DoneThenDamaged => Ok(self.done(operation, request).await?.damaged()),
            Fault::DoneThenLastAnswer => {
                let before = self.last().get(&operation).cloned();
                let mut done = self.done(operation, request).await?;
                if let Some((status, body)) = before {
                    self.last().insert(operation, (status, body.clone()));
                    done.head.status = status;
                    done.head.headers.remove(http::header::CONTENT_LENGTH);
                    done.body = body;
                }
                Ok(done.whole())
            }
        }
    }

    /// Has a request done and remembers the answer.
    async fn done(&self, operation: Operation, request: Request<Body>) -> Result<Done, HttpError> {
        let (head, body) = self.s3.call(request).await?.into_parts();
        let body = body.collect().await.map_err(HttpError::new)?.to_bytes();
        self.last().insert(operation, (head.status, body.clone()));
        Ok(Done { head, body })
    }

    fn last(&self) -> MutexGuard<'_, BTreeMap<Operation, (StatusCode, Bytes)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer that is ready to be sent, or spoilt.
struct Done {
    head: http::response::Parts,
    body: Bytes,
}

impl Done {
    fn whole(self) -> Answer {
        Response::from_parts(self.head, full(self.body))
    }

    fn damaged(self) -> Answer {
        Response::from_parts(self.head, full(damaged(&self.body)))
    }

    /// Half of the body under a head that promises all of it, then the end of the connection.
    fn cut_in_body(self) -> Answer {
        let half = self.body.slice(..self.body.len() / 2);
        let pieces = [Ok(Frame::data(half)), Err(io::Error::other("cut"))];
        self.promised(StreamBody::new(stream::iter(pieces)).boxed_unsync())
    }

    /// Half of the body under a head that promises all of it, then nothing.
    fn stalled(self) -> Answer {
        let half = self.body.slice(..self.body.len() / 2);
        let pieces = stream::unfold(Some(half), |half| async move {
            match half {
                Some(half) => Some((Ok(Frame::data(half)), None)),
                None => std::future::pending().await,
            }
        });
        self.promised(StreamBody::new(pieces).boxed_unsync())
    }

    fn promised(mut self, body: UnsyncBoxBody<Bytes, io::Error>) -> Answer {
        let len = http::HeaderValue::from(self.body.len());
        self.head.headers.insert(http::header::CONTENT_LENGTH, len);
        Response::from_parts(self.head, body)
    }
}

fn full(body: Bytes) -> UnsyncBoxBody<Bytes, io::Error> {
    let never = |never: Infallible| match never {};
    Full::new(body).map_err(never).boxed_unsync()
}

fn damaged(bytes: &[u8]) -> Bytes {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    Bytes::from(bytes)
}

/// A request that is under way as long as this lives.
struct AtOnce<'a> {
    script: &'a Mutex<Script>,
    operation: Operation,
}

impl<'a> AtOnce<'a> {
    fn begin(script: &'a Mutex<Script>, operation: Operation) -> Self {
        script
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .begin(operation);
        Self { script, operation }
    }
}

impl Drop for AtOnce<'_> {
    fn drop(&mut self) {
        self.script
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .end(self.operation);
    }
}

fn refusal(status: u16, code: &str) -> Answer {
    let document = match code {
        "" => String::new(),
        code => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>by script</Message></Error>"
        ),
    };
    let mut answer = Response::new(full(Bytes::from(document)));
    *answer.status_mut() = StatusCode::from_u16(status).expect("the script names statuses of HTTP");
    answer
}

fn cut() -> HttpError {
    HttpError::new(Box::new(io::Error::other("cut by script")))
}
