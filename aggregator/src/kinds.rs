//! What pings of one kind have in common in a batch: where they come from, how they are read, and in which epochs their copies may
//! lie. It is found once for those that follow each other, and they mostly do: a chunk is of one partition.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use aggregate_store::Source;
use ping::{ClientId, DocumentKey, OTHER, Submission, SubmissionDate};

use crate::fold::{FoldSettings, Reading};
use crate::scope::Scope;

/// What pings of one kind have in common.
#[derive(Debug)]
pub(crate) struct Kind {
    /// Of which source they are counted, in its first epoch: [`OTHER`] where the submission does not tell.
    pub(crate) source: Source,
    /// How they are read; `None` when they are only stored.
    pub(crate) reading: Option<Reading>,
    /// In which epochs copies of them may lie.
    pub(crate) epochs: BTreeSet<u32>,
}

/// A record's submission, and its kind.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Its URI, taken apart; `None` if it is that of no submission.
    pub(crate) submission: Option<Arc<Submission>>,
    /// What it has in common with others.
    pub(crate) kind: Arc<Kind>,
}

/// The URI met last, and the kind met last.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    uris: Uris,
    last: Option<(Name, Arc<Kind>)>,
}

/// The URI met last, taken apart. That of the next ping mostly differs in the document's id alone.
#[derive(Debug, Default)]
struct Uris {
    uri: Vec<u8>,
    /// Where the document's id stands in it.
    id: Range<usize>,
    submission: Arc<Submission>,
}

impl Uris {
    /// What a URI says, as [`Submission::parse`] reads it; `None` if it is that of no submission.
    fn submission(&mut self, uri: &[u8]) -> Option<Arc<Submission>> {
        if let Some(id) = self.other_id(uri) {
            id.clone_into(&mut Arc::make_mut(&mut self.submission).document_id);
        } else {
            let text = String::from_utf8_lossy(uri);
            self.submission = Arc::new(Submission::parse(&text).ok()?);
            self.uri = uri.to_vec();
            self.id = id_in(&text, &self.submission.document_id);
        }
        Some(Arc::clone(&self.submission))
    }

    /// The document's id, if all else is as in the last URI, and both ids are UUIDs with hyphens: so what stands there is read
    /// the same way.
    fn other_id<'a>(&self, uri: &'a [u8]) -> Option<&'a str> {
        let Range { start, end } = self.id;
        let is_alike = start < end
            && uri.len() == self.uri.len()
            && uri[..start] == self.uri[..start]
            && uri[end..] == self.uri[end..];
        let id = std::str::from_utf8(is_alike.then(|| &uri[start..end])?).ok()?;
        is_uuid(id).then_some(id)
    }
}

/// Whether a document's id is a UUID with hyphens. Of the two that no client may have it says no: their URIs are read whole.
fn is_uuid(id: &str) -> bool {
    ClientId::parse(id).is_ok()
}

/// Where a document's id stands in its URI: nowhere unless it is a UUID with hyphens, and stands there once, as it is.
fn id_in(uri: &str, id: &str) -> Range<usize> {
    let mut places = uri.match_indices(id).map(|(at, _)| at).take(2);
    match (is_uuid(id), places.next(), places.next()) {
        (true, Some(at), None) if !uri.contains(char::REPLACEMENT_CHARACTER) => at..at + id.len(),
        _ => 0..0,
    }
}

/// All of a submission that decides its kind.
#[derive(Debug, PartialEq, Eq)]
struct Name {
    namespace: String,
    document_type: Option<String>,
    application: Option<String>,
}

impl Sent {
    /// The submission, if pings of its kind are read and those of this day are taken.
    pub(crate) fn folded(&self, scope: &Scope, day: SubmissionDate) -> Option<&Submission> {
        let is_folded = self.kind.reading.is_some() && scope.takes(self.kind.source.as_str(), day);
        self.submission.as_deref().filter(|_| is_folded)
    }

    /// The key of its document, if its id makes one.
    pub(crate) fn document_key(&self) -> Option<DocumentKey> {
        self.submission.as_ref()?.document_key()
    }
}

impl Kinds {
    /// What was sent to this URI.
    pub(crate) fn sent(&mut self, uri: &[u8], settings: &FoldSettings, scope: &Scope) -> Sent {
        let Some(submission) = self.uris.submission(uri) else {
            let kind = Arc::new(Kind::of_none());
            let submission = None;
            return Sent { submission, kind };
        };
        let known = self.last.as_ref().filter(|(name, _)| name.is_of(&submission));
        let kind = match known {
            Some((_, kind)) => Arc::clone(kind),
            None => {
                let kind = Arc::new(Kind::of(&submission, settings, scope));
                self.last = Some((Name::of(&submission), Arc::clone(&kind)));
                kind
            }
        };
        let submission = Some(submission);
        Sent { submission, kind }
    }
}

impl Kind {
    fn of(submission: &Submission, settings: &FoldSettings, scope: &Scope) -> Self {
        let source = Source::named(&settings.source_of(submission));
        Self {
            reading: settings.reader_of(submission),
            epochs: scope.epochs_of(source.as_str()),
            source,
        }
    }

    /// Of what was sent to no submission's URI.
    fn of_none() -> Self {
        Self {
            source: Source::named(OTHER),
            reading: None,
            epochs: BTreeSet::new(),
        }
    }
}

impl Name {
    fn of(submission: &Submission) -> Self {
        Self {
            namespace: submission.namespace.clone(),
            document_type: submission.document_type.clone(),
            application: submission.app_name.clone(),
        }
    }

    fn is_of(&self, submission: &Submission) -> bool {
        self.namespace == submission.namespace
            && self.document_type == submission.document_type
            && self.application == submission.app_name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_says_the_same_whatever_uri_came_before() {
        let [one, other] = [
            "ce39b608-f595-4c69-b6a6-f7a436604648",
            "0E39B608-f595-4c69-b6a6-f7a436604649",
        ];
        let odd = "ce39b608-f595-4c69-b6a6_f7a436604648";
        let uris: Vec<Vec<u8>> = [
            "/submit/telemetry/ID/main/Firefox/54.0a1/nightly/20170130030205?v=4",
            "/submit/telemetry/ID/main/Firefox/54.0a1/nightly/20170130030206?v=4",
            "/submit/telemetry/ID/ID/Firefox/54.0a1/nightly/20170130030206?v=4",
            "/submit/acme/usage/1/ID",
            "/submit/acme/usage/ID",
            "/submit/acme/ID/1/ID",
            "/submit/ID/usage/1/ID",
            "/submit/acme/us%61ge/1/ID",
            "/submit/acme/usage/1/ID?ID",
            "/submit/acme/usage/1/\u{fffd}/ID",
            "/nowhere/ID",
        ]
        .iter()
        .flat_map(|uri| [one, other, odd, "x"].map(|id| uri.replace("ID", id).into_bytes()))
        .chain([b"/submit/acme/usage/1/\xff/x".to_vec()])
        .collect();
        let mut seen = Uris::default();
        for before in &uris {
            for uri in &uris {
                seen.submission(before);
                let alone = Submission::parse(&String::from_utf8_lossy(uri)).ok();
                assert_eq!(
                    seen.submission(uri).as_deref(),
                    alone.as_ref(),
                    "{} after {}",
                    String::from_utf8_lossy(uri),
                    String::from_utf8_lossy(before)
                );
            }
        }
    }

    #[test]
    fn pings_that_alternate_are_each_of_their_own_kind() {
        let (settings, scope) = (FoldSettings::default(), Scope::default());
        let id = "ce39b608-f595-4c69-b6a6-f7a436604648";
        let telemetry =
            |path: &str| format!("/submit/telemetry/{id}/{path}/54.0a1/nightly/20170130030205?v=4");
        let sent = [
            (telemetry("main/Firefox"), "telemetry/main", true),
            (telemetry("saved-session/Fennec"), "telemetry/main", true),
            (
                telemetry("saved-session/Firefox"),
                "telemetry/saved-session",
                false,
            ),
            (telemetry("event/Firefox"), "telemetry/event", false),
            (format!("/submit/acme/usage/1/{id}"), "acme/usage", true),
            (
                format!("/submit/acme/deletion-request/1/{id}"),
                "acme/deletion-request",
                false,
            ),
            ("/nowhere".to_owned(), OTHER, false),
        ];
        let mut kinds = Kinds::default();
        for at in (0..sent.len())
            .chain((0..sent.len()).rev())
            .flat_map(|at| [at, at])
        {
            let (uri, source, is_read) = &sent[at];
            let Sent { kind, .. } = kinds.sent(uri.as_bytes(), &settings, &scope);
            assert_eq!(
                (kind.source.as_str(), kind.reading.is_some()),
                (*source, *is_read),
                "{uri}"
            );
        }
    }
}
