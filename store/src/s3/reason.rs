//! What a failed try means: whether it may have happened all the same, whether it is worth another try, and what to do.
//! Pure. The table is told and argued in `docs/decisions/0021-s3-by-the-aws-sdk.md`.

use super::operation::Operation;

/// Why a try failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The SDK found no credentials, so nothing was sent.
    NoCredentials,
    /// No connection was made, so nothing was sent.
    Unreachable,
    /// A request was sent, or its sending begun, and no whole answer came.
    NoAnswer,
    /// An answer came that S3 would not give: damaged, or without what it must have.
    BadAnswer,
    /// 403, the signature's time is too far from S3's.
    ClockSkew,
    /// 409, another change of the same object is under way.
    Conflict,
    /// 412, an object of that key is there.
    AlreadyThere,
    /// S3 took nothing and asks to be spared.
    Throttled,
    /// 400, the bytes arrived damaged or not at all.
    Garbled,
    /// A fault of the server's, at whatever point of its work.
    Server,
    /// 404, no such object.
    NoSuchKey,
    /// 404, no such bucket.
    NoSuchBucket,
    /// 404, no such upload in parts: completed or aborted before.
    NoSuchUpload,
    /// The bucket is in another region, or another endpoint's.
    Elsewhere,
    /// 401 or 403.
    Denied,
    /// 416, the object ends before the range begins.
    BeyondTheEnd,
    /// Any other refusal.
    Refused,
}

impl Reason {
    /// Of an answer's status and the code in its document, if it has one. An error document may come under status 200.
    pub(super) fn of_answer(status: u16, code: Option<&str>) -> Self {
        match (status, code.unwrap_or_default()) {
            (_, "RequestTimeTooSkewed") => Self::ClockSkew,
            (_, "ConditionalRequestConflict" | "OperationAborted") => Self::Conflict,
            (412, _) | (_, "PreconditionFailed") => Self::AlreadyThere,
            (429, _) | (_, "SlowDown" | "TooManyRequests" | "Throttling" | "ThrottlingException") => {
                Self::Throttled
            }
            (
                _,
                "BadDigest"
                | "InvalidDigest"
                | "XAmzContentChecksumMismatch"
                | "XAmzContentSHA256Mismatch"
                | "IncompleteBody"
                | "RequestTimeout",
            ) => Self::Garbled,
            (_, "NoSuchBucket") => Self::NoSuchBucket,
            (_, "NoSuchUpload") => Self::NoSuchUpload,
            (404, _) => Self::NoSuchKey,
            (301 | 302 | 307 | 308, _)
            | (_, "PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed") => {
                Self::Elsewhere
            }
            (401 | 403, _) | (_, "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired") => Self::Denied,
            (416, _) => Self::BeyondTheEnd,
            (409, _) => Self::Conflict,
            (400..=499, _) => Self::Refused,
            // Also whatever is no answer of S3's: a proxy's page, or an error under a status of success.
            _ => Self::Server,
        }
    }

    /// Whether the request may have taken effect all the same.
    pub(super) const fn may_have_happened(self) -> bool {
        match self {
            Self::NoAnswer | Self::BadAnswer | Self::Server => true,
            Self::NoCredentials
            | Self::Unreachable
            | Self::ClockSkew
            | Self::Conflict
            | Self::AlreadyThere
            | Self::Throttled
            | Self::Garbled
            | Self::NoSuchKey
            | Self::NoSuchBucket
            | Self::NoSuchUpload
            | Self::Elsewhere
            | Self::Denied
            | Self::BeyondTheEnd
            | Self::Refused => false,
        }
    }

    /// Whether the same request may do a moment later.
    pub(super) const fn is_worth_another_try(self, operation: Operation) -> bool {
        match self {
            Self::Unreachable
            | Self::NoAnswer
            | Self::BadAnswer
            | Self::Throttled
            | Self::Garbled
            | Self::Server => true,
            // A completion in conflict is over: S3 wants the whole upload anew.
            Self::Conflict => !matches!(operation, Operation::CompleteMultipartUpload),
            Self::NoCredentials
            | Self::ClockSkew
            | Self::AlreadyThere
            | Self::NoSuchKey
            | Self::NoSuchBucket
            | Self::NoSuchUpload
            | Self::Elsewhere
            | Self::Denied
            | Self::BeyondTheEnd
            | Self::Refused => false,
        }
    }

    /// What it is called in metrics.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::Unreachable => "unreachable",
            Self::NoAnswer => "no_answer",
            Self::BadAnswer => "bad_answer",
            Self::ClockSkew => "clock_skew",
            Self::Conflict => "conflict",
            Self::AlreadyThere => "already_there",
            Self::Throttled => "throttled",
            Self::Garbled => "garbled",
            Self::Server => "server_fault",
            Self::NoSuchKey => "not_found",
            Self::NoSuchBucket => "no_bucket",
            Self::NoSuchUpload => "no_upload",
            Self::Elsewhere => "elsewhere",
            Self::Denied => "denied",
            Self::BeyondTheEnd => "beyond_the_end",
            Self::Refused => "refused",
        }
    }

    /// What whoever reads the error can do.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::NoCredentials => {
                "give this process credentials (a role, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile)"
            }
            Self::Unreachable => "look at the endpoint, its name and the network between",
            Self::NoAnswer => "look at the network, and whether the line is fast enough for what is sent",
            Self::BadAnswer => "look at what stands between this process and S3",
            Self::ClockSkew => "set this machine's clock right",
            Self::Conflict => "see who else writes this object; it is safe to try again",
            Self::Throttled => "it is safe to try again later; spread the load, or ask for more",
            Self::Garbled => "look at the network; it is safe to try again",
            Self::Server => "try again later; if it stays, see the state of the service",
            Self::NoSuchBucket => "make the bucket, or correct its name, region or endpoint",
            Self::NoSuchUpload => {
                "see who aborts uploads in parts (a lifecycle rule?); it is safe to try again"
            }
            Self::Elsewhere => "set the region of the bucket, or its endpoint",
            Self::Denied => {
                "see the rights of this process: s3:PutObject, s3:AbortMultipartUpload, s3:GetObject, s3:DeleteObject on \
                 the objects, s3:ListBucket on the bucket, and those on its key; and whether its credentials have expired"
            }
            Self::AlreadyThere | Self::NoSuchKey | Self::BeyondTheEnd | Self::Refused => {
                "see the code in S3's list of errors"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Status, code, reason, may have happened, tried again as a put, tried again as a completion.
    type Row = (u16, &'static str, Reason, bool, bool, bool);

    const TABLE: &[Row] = &[
        (500, "InternalError", Reason::Server, true, true, true),
        (500, "", Reason::Server, true, true, true),
        (502, "", Reason::Server, true, true, true),
        (503, "ServiceUnavailable", Reason::Server, true, true, true),
        (503, "", Reason::Server, true, true, true),
        (503, "SlowDown", Reason::Throttled, false, true, true),
        (429, "", Reason::Throttled, false, true, true),
        (200, "InternalError", Reason::Server, true, true, true),
        (200, "SlowDown", Reason::Throttled, false, true, true),
        (
            200,
            "PreconditionFailed",
            Reason::AlreadyThere,
            false,
            false,
            false,
        ),
        (
            412,
            "PreconditionFailed",
            Reason::AlreadyThere,
            false,
            false,
            false,
        ),
        (412, "", Reason::AlreadyThere, false, false, false),
        (
            409,
            "ConditionalRequestConflict",
            Reason::Conflict,
            false,
            true,
            false,
        ),
        (409, "OperationAborted", Reason::Conflict, false, true, false),
        (400, "BadDigest", Reason::Garbled, false, true, true),
        (400, "RequestTimeout", Reason::Garbled, false, true, true),
        (400, "EntityTooLarge", Reason::Refused, false, false, false),
        (400, "ExpiredToken", Reason::Denied, false, false, false),
        (
            400,
            "AuthorizationHeaderMalformed",
            Reason::Elsewhere,
            false,
            false,
            false,
        ),
        (301, "PermanentRedirect", Reason::Elsewhere, false, false, false),
        (
            403,
            "RequestTimeTooSkewed",
            Reason::ClockSkew,
            false,
            false,
            false,
        ),
        (403, "AccessDenied", Reason::Denied, false, false, false),
        (403, "", Reason::Denied, false, false, false),
        (404, "NoSuchBucket", Reason::NoSuchBucket, false, false, false),
        (404, "NoSuchUpload", Reason::NoSuchUpload, false, false, false),
        (404, "NoSuchKey", Reason::NoSuchKey, false, false, false),
        (404, "", Reason::NoSuchKey, false, false, false),
        (416, "InvalidRange", Reason::BeyondTheEnd, false, false, false),
    ];

    #[test]
    fn an_answer_means_what_the_table_says() {
        for &(status, code, reason, happened, put_again, completed_again) in TABLE {
            let found = Reason::of_answer(status, Some(code).filter(|code| !code.is_empty()));
            let again = |operation| found.is_worth_another_try(operation);
            assert_eq!(
                (
                    found,
                    found.may_have_happened(),
                    again(Operation::PutObject),
                    again(Operation::CompleteMultipartUpload)
                ),
                (reason, happened, put_again, completed_again),
                "{status} {code}"
            );
        }
    }

    #[test]
    fn what_may_have_happened_is_always_tried_again_since_a_put_finds_its_own_object() {
        for &(status, code, ..) in TABLE {
            let reason = Reason::of_answer(status, Some(code));
            if reason.may_have_happened() {
                assert!(
                    reason.is_worth_another_try(Operation::PutObject),
                    "{status} {code}"
                );
            }
        }
    }
}
