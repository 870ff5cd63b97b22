//! The requests that are made, by the names of S3's price list.

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    PutObject,
    CreateMultipartUpload,
    UploadPart,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    GetObject,
    HeadObject,
    HeadBucket,
    ListObjects,
    DeleteObject,
}

impl Operation {
    /// Its name, as in S3's documentation and on its bill.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::PutObject => "PutObject",
            Self::CreateMultipartUpload => "CreateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::HeadBucket => "HeadBucket",
            Self::ListObjects => "ListObjectsV2",
            Self::DeleteObject => "DeleteObject",
        }
    }

    /// Whether an object may be there, or gone, by it. Parts that lie around are no object.
    pub(super) const fn changes_objects(self) -> bool {
        matches!(
            self,
            Self::PutObject | Self::CompleteMultipartUpload | Self::DeleteObject
        )
    }
}
