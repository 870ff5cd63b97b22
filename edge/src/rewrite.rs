//! Rewriting a ping by the privacy rules of its source, on its way into a chunk. Every chunk is gathered here, so none goes past it.
//!
//! What it gives is a function of the ping as logged and of the rules alone: a chunk that is gathered again has the same digest.

use ping::{ClientId, Submission, SubmissionDate};
use readers::privacy::{ClientHasher, Redactor, SourceRules};

use chunk::RecordHead;
use index_schema::ChunkKind;

use crate::limits::HEAD_BYTES_MAX;
use crate::metrics as names;
use crate::privacy::NumberedRules;

/// A buffer of more than this is given back when a chunk is done.
const KEPT_BYTES: usize = 8 << 20;

/// Rewrites pings, with buffers that are used again.
#[derive(Debug, Default)]
pub(crate) struct Rewriter {
    redactor: Redactor,
    /// What clients are hashed by on a day: most pings of a chunk are of one.
    of_day: Option<(u32, SubmissionDate, ClientHasher)>,
}

impl NumberedRules {
    /// The rules of a ping's source, if it has any. Asked for every ping, so those of other namespaces are told at a glance.
    pub(crate) fn of_ping(&self, uri: &[u8]) -> Option<&SourceRules> {
        if namespace_at_a_glance(uri).is_some_and(|namespace| !self.rules.have(namespace)) {
            return None;
        }
        let submission = Submission::parse(&String::from_utf8_lossy(uri)).ok()?;
        self.rules.of(&submission)
    }
}

/// The namespace in a URI, where that is written without detours: where it is not, the whole of it is parsed.
fn namespace_at_a_glance(uri: &[u8]) -> Option<&str> {
    let rest = uri.strip_prefix(b"/submit/")?;
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'%'));
    let namespace = &rest[..end.filter(|end| *end > 0 && rest[*end] != b'%')?];
    std::str::from_utf8(namespace).ok()
}

impl Rewriter {
    /// What of a body may be stored; its head is told what stands for the client. Of what cannot be read, and of errored pings, which
    /// are those that cannot be inflated, nobody knows what they hold: nothing is stored but the head.
    pub(crate) fn rewrite<'a>(
        &'a mut self,
        (numbered, rules): (&NumberedRules, &'a SourceRules),
        kind: ChunkKind,
        head: &mut RecordHead,
        body: &'a [u8],
    ) -> &'a [u8] {
        if rules.forgets_clients() {
            head.client_hash = None;
        }
        if kind == ChunkKind::Errors {
            return left_out();
        }
        let Self { redactor, of_day } = self;
        let Ok(redacted) = redactor.redact(rules, body) else {
            return left_out();
        };
        // A `null` may be longer than what it stands for.
        if head.uri.len() + redacted.body.len() + HEAD_BYTES_MAX > chunk::limits::RECORD_RAW_BYTES_MAX {
            return left_out();
        }
        let hash = |client: ClientId| {
            let day = head.submission_date;
            if !rules.is_daily() {
                return Some(numbered.always.as_ref()?.hash(&client));
            }
            let known = of_day
                .as_ref()
                .is_some_and(|(number, known, _)| (*number, *known) == (numbered.number, day));
            if !known {
                *of_day = Some((numbered.number, day, numbered.secret.as_ref()?.hasher_of(day)));
            }
            of_day.as_ref().map(|(.., hasher)| hasher.hash(&client))
        };
        // A ping that is imported after its id was taken out bears its hash already.
        if let Some(hash) = redacted.client.and_then(hash) {
            head.client_hash = Some(hash);
        }
        redacted.body
    }

    /// Gives memory back that a large body took.
    pub(crate) fn shrink(&mut self) {
        self.redactor.shrink_to(KEPT_BYTES);
    }
}

/// Nothing of a body.
fn left_out<'a>() -> &'a [u8] {
    metrics::counter!(names::PINGS_EMPTIED).increment(1);
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_is_seen_at_a_glance_is_that_of_the_submission() {
        let mut seen = 0;
        for uri in [
            "/submit/inky/a/1/x",
            "/submit/inky",
            "/submit/inky/",
            "/submit/inky?a/b",
            "/submit/inky#/b",
            "//submit//inky/a",
            "/submit//inky/a",
            "/submit/%69nky/a",
            "/submit/ink%79/a",
            "/submit/inky/%61",
            "/submit/Inky/a",
            "/submit/",
            "/other/inky/a",
            "",
        ] {
            let submission = Submission::parse(uri);
            if let Some(namespace) = namespace_at_a_glance(uri.as_bytes()) {
                seen += 1;
                assert!(
                    submission.is_err() || submission.is_ok_and(|whole| whole.namespace == namespace),
                    "{uri}"
                );
            }
        }
        assert_eq!(seen, 6);
    }
}
