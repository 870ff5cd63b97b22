//! s3s-fs with shorter keys: it names a file by each key in base64, which a file system takes up to 255 bytes of. Of
//! `app_name=Firefox` in a key it sees `Firefox`.

use async_trait::async_trait;
use s3s::dto::{
    GetObjectInput, GetObjectOutput, ListObjectsV2Input, ListObjectsV2Output, PutObjectInput, PutObjectOutput,
};
use s3s::{S3, S3Request, S3Response, S3Result};
use s3s_fs::FileSystem;

/// What an edge asks of S3.
pub(super) struct ShortKeys(pub(super) FileSystem);

fn short(key: &str) -> String {
    let values = key
        .split('/')
        .map(|part| part.split_once('=').map_or(part, |(_, value)| value));
    values.collect::<Vec<_>>().join("/")
}

#[async_trait]
impl S3 for ShortKeys {
    async fn put_object(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        request.input.key = short(&request.input.key);
        self.0.put_object(request).await
    }

    async fn get_object(
        &self,
        mut request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        request.input.key = short(&request.input.key);
        self.0.get_object(request).await
    }

    /// The claims of starts, whose keys are as they are.
    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.0.list_objects_v2(request).await
    }
}
