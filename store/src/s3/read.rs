//! Reading: whole objects, ranges, tails; and whether an object is there.

use std::ops::Range;

use aws_sdk_s3::primitives::ByteStream;
use bytes::{Bytes, BytesMut};

use super::call::GivenUp;
use super::failure::Failure;
use super::limits::POSITION_MAX;
use super::metrics;
use super::operation::Operation;
use super::reason::Reason;
use super::store::Inner;
use crate::StoreError;

/// What an answer brought.
struct Got {
    bytes: Bytes,
    /// The object's length.
    whole: u64,
}

/// Which bytes of an object.
#[derive(Clone, Copy)]
enum Part {
    All,
    /// From the first to before the last.
    Range(u64, u64),
    /// So many at the end, at least one.
    Tail(u64),
}

impl Inner {
    pub(super) async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        let name = self.name("get", key)?;
        let got = self.fetch(&name, Part::All).await;
        got.map(|got| got.bytes)
            .map_err(|given_up| self.error("get", key, &given_up))
    }

    pub(super) async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        let name = self.name("get", key)?;
        if range.start >= range.end || range.start >= POSITION_MAX {
            self.len_of_present(key, &name).await?;
            return Ok(Bytes::new());
        }
        match self.fetch(&name, Part::Range(range.start, range.end)).await {
            Ok(got) => Ok(got.bytes),
            Err(given_up) if given_up.reason() == Reason::BeyondTheEnd => Ok(Bytes::new()),
            Err(given_up) => Err(self.error("get", key, &given_up)),
        }
    }

    pub(super) async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        let name = self.name("get", key)?;
        if len == 0 {
            return Ok((Bytes::new(), self.len_of_present(key, &name).await?));
        }
        match self.fetch(&name, Part::Tail(len)).await {
            Ok(got) => Ok((got.bytes, got.whole)),
            // A tail of at least one byte is beyond the end only of an empty object.
            Err(given_up) if given_up.reason() == Reason::BeyondTheEnd => Ok((Bytes::new(), 0)),
            Err(given_up) => Err(self.error("get", key, &given_up)),
        }
    }

    async fn len_of_present(&self, key: &str, name: &str) -> Result<u64, StoreError> {
        let len = self.len_of("get", key, name).await?;
        len.ok_or_else(|| StoreError::NotFound { key: key.to_owned() })
    }

    /// The length of an object, or `None` when there is none. That nothing is there says something only while the bucket is:
    /// an answer without a body does not tell the two apart.
    pub(super) async fn len_of(
        &self,
        action: &'static str,
        key: &str,
        name: &str,
    ) -> Result<Option<u64>, StoreError> {
        let failed = |given_up: GivenUp| self.error(action, key, &given_up);
        match self.head_object(name).await.map_err(failed)? {
            Some(len) => Ok(Some(len)),
            None => self.head_bucket().await.map(|()| None).map_err(failed),
        }
    }

    /// The length of an object, or `None` when there is none, or no bucket either.
    pub(super) async fn head_object(&self, name: &str) -> Result<Option<u64>, GivenUp> {
        let request = || async {
            let head = self.client.head_object().bucket(&self.settings.bucket).key(name);
            let head = head.send().await.map_err(|error| Failure::of(&error))?;
            let len = head.content_length.and_then(|len| u64::try_from(len).ok());
            len.ok_or_else(|| Failure::new(Reason::BadAnswer, "the answer names no length"))
        };
        match self.caller.call(Operation::HeadObject, 0, request).await {
            Ok(len) => Ok(Some(len)),
            Err(given_up) if given_up.reason() == Reason::NoSuchKey => Ok(None),
            Err(given_up) => Err(given_up),
        }
    }

    async fn head_bucket(&self) -> Result<(), GivenUp> {
        let request = || async {
            let head = self
                .client
                .head_bucket()
                .bucket(&self.settings.bucket)
                .send()
                .await;
            head.map(drop).map_err(|error| {
                let mut failure = Failure::of(&error);
                if failure.reason == Reason::NoSuchKey {
                    failure.reason = Reason::NoSuchBucket;
                }
                failure
            })
        };
        self.caller.call(Operation::HeadBucket, 0, request).await
    }

    async fn fetch(&self, name: &str, part: Part) -> Result<Got, GivenUp> {
        let request = || async {
            let get = self
                .client
                .get_object()
                .bucket(&self.settings.bucket)
                .key(name)
                .set_range(part.header());
            let head = async { get.send().await.map_err(|error| Failure::of(&error)) };
            let answer = self.caller.within(0, head).await?;
            let (len, whole) = part.lengths(answer.content_length(), answer.content_range())?;
            // Only now is it known how long the body may take.
            let bytes = self.caller.within(len, self.collected(answer.body, len)).await?;
            Ok(Got { bytes, whole })
        };
        self.caller.tries(Operation::GetObject, request).await
    }

    /// A body of this length. It may be as slow as the settings say, but not stand still.
    async fn collected(&self, mut body: ByteStream, len: u64) -> Result<Bytes, Failure> {
        let capacity =
            usize::try_from(len).map_err(|error| Failure::new(Reason::Refused, error.to_string()))?;
        let mut bytes = BytesMut::with_capacity(capacity);
        loop {
            let piece = async { body.try_next().await.map_err(|error| Failure::of_body(&error)) };
            match self.caller.within(0, piece).await? {
                Some(piece) => {
                    metrics::count_received(piece.len() as u64);
                    bytes.extend_from_slice(&piece);
                }
                None if bytes.len() == capacity => return Ok(bytes.freeze()),
                None => {
                    let said = format!("the answer has {} bytes of {len} that it announced", bytes.len());
                    return Err(Failure::new(Reason::NoAnswer, said));
                }
            }
        }
    }
}

impl Part {
    fn header(self) -> Option<String> {
        match self {
            Self::All => None,
            Self::Range(start, end) if end > POSITION_MAX => Some(format!("bytes={start}-")),
            Self::Range(start, end) => Some(format!("bytes={start}-{}", end - 1)),
            Self::Tail(len) => Some(format!("bytes=-{}", len.min(POSITION_MAX))),
        }
    }

    /// The length of an answer's body and that of the object, if the answer is to what was asked.
    fn lengths(self, len: Option<i64>, range: Option<&str>) -> Result<(u64, u64), Failure> {
        let bad = |said: String| Failure::new(Reason::BadAnswer, said);
        let len = len
            .and_then(|len| u64::try_from(len).ok())
            .ok_or_else(|| bad("the answer names no length".to_owned()))?;
        // Without a range all of the object is in the answer.
        let (start, whole) = match range {
            None => (0, len),
            Some(text) => parsed(text).ok_or_else(|| bad(format!("`{text}` is no range")))?,
        };
        let end = start.checked_add(len).filter(|end| *end <= whole);
        let (wanted_start, wanted_end) = match self {
            Self::All => (0, whole),
            Self::Range(start, end) => (start, end.min(whole)),
            Self::Tail(len) => (whole.saturating_sub(len), whole),
        };
        if (start, end) == (wanted_start, Some(wanted_end)) {
            Ok((len, whole))
        } else {
            Err(bad(format!(
                "{len} bytes from {start} of {whole} were not asked for"
            )))
        }
    }
}

/// The first position and the length of the whole in a `Content-Range` (RFC 9110, section 14.4).
fn parsed(range: &str) -> Option<(u64, u64)> {
    let (positions, whole) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = positions.split_once('-')?;
    Some((start.parse().ok()?, whole.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_must_be_to_what_was_asked() {
        let asked = [
            (Part::All, 10, None, Some((10, 10))),
            (Part::All, 5, Some("bytes 0-4/10"), None),
            (Part::Range(2, 6), 4, Some("bytes 2-5/10"), Some((4, 10))),
            (Part::Range(2, 60), 8, Some("bytes 2-9/10"), Some((8, 10))),
            (Part::Range(2, 6), 3, Some("bytes 2-4/10"), None),
            (Part::Range(2, 6), 4, Some("bytes 1-4/10"), None),
            (Part::Range(0, 10), 10, None, Some((10, 10))),
            (Part::Range(2, 6), 10, None, None),
            (Part::Tail(3), 3, Some("bytes 7-9/10"), Some((3, 10))),
            (Part::Tail(30), 10, Some("bytes 0-9/10"), Some((10, 10))),
            (Part::Tail(30), 10, None, Some((10, 10))),
            (Part::Tail(30), 0, None, Some((0, 0))),
            (Part::Tail(3), 10, None, None),
            (Part::Tail(3), 4, Some("bytes 7-9/10"), None),
            (Part::Tail(3), 3, Some("bytes 7-9/*"), None),
            (Part::Tail(3), 3, Some("items 7-9/10"), None),
        ];
        for (part, len, range, lengths) in asked {
            assert_eq!(
                part.lengths(Some(len), range).ok(),
                lengths,
                "{len} bytes, {range:?}"
            );
        }
        assert!(Part::All.lengths(None, None).is_err() && Part::All.lengths(Some(-1), None).is_err());
    }

    #[test]
    fn ranges_are_asked_for_in_numbers_that_every_server_reads() {
        for (part, header) in [
            (Part::Range(0, 1), "bytes=0-0"),
            (Part::Range(5, u64::MAX), "bytes=5-"),
            (Part::Tail(u64::MAX), "bytes=-4611686018427387904"),
        ] {
            assert_eq!(part.header().as_deref(), Some(header));
        }
    }
}
