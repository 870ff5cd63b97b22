//! Listing: pages of up to a thousand keys, held against the order that S3 promises.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::EncodingType;

use super::failure::Failure;
use super::limits::PAGE_KEYS_MAX;
use super::names::decoded;
use super::operation::Operation;
use super::reason::Reason;
use super::store::Inner;
use crate::{ListPage, ObjectMeta, StoreError};

/// What was read of a list.
struct Read {
    page: ListPage,
    /// The name after which the list goes on.
    last: Option<String>,
    /// By which S3 goes on.
    token: Option<String>,
}

impl Inner {
    pub(super) async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ListPage, StoreError> {
        let beginning = self.names.beginning(prefix);
        let mut read = Read {
            page: ListPage {
                objects: Vec::new(),
                more: false,
            },
            last: after.map(|after| self.names.beginning(after)),
            token: None,
        };
        loop {
            let wanted = limit
                .saturating_sub(read.page.objects.len())
                .clamp(1, PAGE_KEYS_MAX);
            let request = || async {
                let list = self
                    .client
                    .list_objects_v2()
                    .bucket(&self.settings.bucket)
                    .prefix(&beginning)
                    // Names may hold what XML may not.
                    .encoding_type(EncodingType::Url)
                    .max_keys(i32::try_from(wanted).expect("a page has at most a thousand keys"))
                    .set_continuation_token(read.token.clone())
                    .set_start_after(read.last.clone().filter(|_| read.token.is_none()));
                let answer = list.send().await.map_err(|error| Failure::of(&error))?;
                named(&answer, read.last.as_deref()).map(|named| (named, answer))
            };
            let answered = self.caller.call(Operation::ListObjects, 0, request).await;
            let (named, answer) = answered.map_err(|given_up| self.error("list", prefix, &given_up))?;
            let brought = !named.is_empty();
            self.take(&mut read, named, &answer);
            let ListPage { objects, more } = &mut read.page;
            if objects.len() >= limit.max(1) || !*more {
                *more |= objects.len() > limit;
                objects.truncate(limit);
                return Ok(read.page);
            }
            let goes_on = answer
                .next_continuation_token()
                .is_some_and(|token| read.token.as_deref() != Some(token));
            if !brought && !goes_on {
                let cause = "S3 says that the list goes on, and does not go on with it; try again later";
                return Err(self.unchanged("list", prefix, &cause));
            }
            read.token = answer.next_continuation_token;
        }
    }

    fn take(&self, read: &mut Read, named: Vec<(String, u64)>, answer: &ListObjectsV2Output) {
        read.page.more = answer.is_truncated.unwrap_or(false);
        if let Some((last, _)) = named.last() {
            read.last = Some(last.clone());
        }
        // Objects that were put here by other means, under names that are no keys, are passed over.
        let keyed = named
            .into_iter()
            .filter_map(|(name, len)| self.names.key(&name).map(|key| ObjectMeta { key, len }));
        read.page.objects.extend(keyed);
    }
}

/// The names and lengths in an answer. They ascend, from behind the last one that came before: a list that does not
/// would be read for ever.
fn named(answer: &ListObjectsV2Output, last: Option<&str>) -> Result<Vec<(String, u64)>, Failure> {
    let bad = |said: String| Failure::new(Reason::BadAnswer, said);
    let is_encoded = answer.encoding_type == Some(EncodingType::Url);
    let mut named: Vec<(String, u64)> = Vec::with_capacity(answer.contents().len());
    for object in answer.contents() {
        let name = match object.key() {
            Some(key) if is_encoded => decoded(key),
            key => key.map(str::to_owned),
        };
        let len = object.size().and_then(|len| u64::try_from(len).ok());
        let (Some(name), Some(len)) = (name, len) else {
            return Err(bad("an object in the list has no name or no length".to_owned()));
        };
        let before = named.last().map_or(last, |(name, _)| Some(name.as_str()));
        if before.is_some_and(|before| before >= name.as_str()) {
            return Err(bad(format!(
                "the list does not ascend at `{name}`: a page came twice?"
            )));
        }
        named.push((name, len));
    }
    Ok(named)
}
