//! What a request asks for, told from its method, path and query.

use http::{Method, Request};

/// A kind of request, named as in the documentation of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of S3")]
pub enum Operation {
    PutObject,
    CreateMultipartUpload,
    UploadPart,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    GetObject,
    HeadObject,
    HeadBucket,
    ListObjectsV2,
    DeleteObject,
    Other,
}

impl Operation {
    /// Of a request in path style: `/bucket/key?query`.
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let asks_for = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
        let path = request.uri().path().trim_start_matches('/');
        let of_an_object = path.split_once('/').is_some_and(|(_, key)| !key.is_empty());
        match (request.method(), of_an_object) {
            (&Method::PUT, true) if asks_for("partNumber") => Self::UploadPart,
            (&Method::PUT, true) => Self::PutObject,
            (&Method::POST, true) if asks_for("uploads") => Self::CreateMultipartUpload,
            (&Method::POST, true) if asks_for("uploadId") => Self::CompleteMultipartUpload,
            (&Method::DELETE, true) if asks_for("uploadId") => Self::AbortMultipartUpload,
            (&Method::DELETE, true) => Self::DeleteObject,
            (&Method::GET, true) => Self::GetObject,
            (&Method::HEAD, true) => Self::HeadObject,
            (&Method::HEAD, false) => Self::HeadBucket,
            (&Method::GET, false) if asks_for("list-type") => Self::ListObjectsV2,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: Method, uri: &str) -> Operation {
        let request = Request::builder().method(method).uri(uri).body(());
        Operation::of(&request.expect("a request"))
    }

    #[test]
    fn requests_are_told_apart_as_s3_does() {
        let told = [
            (Method::PUT, "/b/k/l?x-id=PutObject", Operation::PutObject),
            (Method::PUT, "/b/k?partNumber=1&uploadId=u", Operation::UploadPart),
            (Method::POST, "/b/k?uploads", Operation::CreateMultipartUpload),
            (
                Method::POST,
                "/b/k?uploadId=u",
                Operation::CompleteMultipartUpload,
            ),
            (Method::DELETE, "/b/k?uploadId=u", Operation::AbortMultipartUpload),
            (Method::DELETE, "/b/k", Operation::DeleteObject),
            (Method::GET, "/b/k", Operation::GetObject),
            (Method::HEAD, "/b/k", Operation::HeadObject),
            (Method::HEAD, "/b/", Operation::HeadBucket),
            (Method::HEAD, "/b", Operation::HeadBucket),
            (Method::GET, "/b/?list-type=2&prefix=a", Operation::ListObjectsV2),
            (Method::GET, "/", Operation::Other),
        ];
        for (method, uri, operation) in told {
            assert_eq!(of(method.clone(), uri), operation, "{method} {uri}");
        }
    }
}
