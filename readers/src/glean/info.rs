//! `client_info` and `ping_info`: the client, and the dimensions.

use ping::{OTHER, SubmissionDate};

use super::arena::Span;
use super::dimensions::GleanDimension;
use super::limits::DIMENSION_BYTES_MAX;
use super::work::{Work, begin, members, place};
use crate::dates::{build_date, leading_date};
use crate::json::{Cursor, JsonError, Leaf, Once};
use crate::texts::{major, major_minor};
use crate::values::{Note, Place, Rule, Subject, Values};

/// A text of these sections, and where it stands.
#[derive(Clone, Copy, Debug)]
struct Sent {
    text: Span,
    place: Place,
}

/// What the two sections say. Dimensions are made of it at the ping's end: one is made of several fields.
#[derive(Debug, Default)]
pub(super) struct Info {
    pub(super) has_ping_info: bool,
    reason: Option<Sent>,
    client_id: Option<Sent>,
    has_session_count: bool,
    fields: [Option<Sent>; FIELDS.len()],
}

/// What the Python and Rust SDKs send for a build whose day they do not know.
const NO_BUILD_DATE: &str = "1970-01-01";

/// The texts of `client_info` that are read.
const FIELDS: [&str; 8] = [
    "app_build",
    "app_channel",
    "app_display_version",
    "architecture",
    "build_date",
    "locale",
    "os",
    "os_version",
];
const APP_BUILD: usize = 0;
const APP_CHANNEL: usize = 1;
const APP_DISPLAY_VERSION: usize = 2;
const ARCHITECTURE: usize = 3;
const BUILD_DATE: usize = 4;
const LOCALE: usize = 5;
const OS: usize = 6;
const OS_VERSION: usize = 7;
const CLIENT_ID: usize = FIELDS.len();
const SESSION_COUNT: usize = FIELDS.len() + 1;

/// The dimension that a field alone decides.
const fn dimension_of(field: usize) -> GleanDimension {
    match field {
        APP_CHANNEL => GleanDimension::Channel,
        APP_DISPLAY_VERSION => GleanDimension::Version,
        ARCHITECTURE => GleanDimension::Architecture,
        LOCALE => GleanDimension::Locale,
        OS => GleanDimension::Os,
        OS_VERSION => GleanDimension::OsVersion,
        _ => GleanDimension::BuildDate,
    }
}

impl Info {
    /// Reads `ping_info`, or whatever stands in its place.
    pub(super) fn read_ping<S: Values>(
        &mut self,
        work: &mut Work<'_, S>,
        json: &mut Cursor<'_>,
    ) -> Result<(), JsonError> {
        let from = begin(json)?;
        let mut once = Once::default();
        let mut doubled = false;
        let other = members(json, |key, json| {
            if key.text != "reason" {
                return json.skip();
            }
            doubled |= once.again(0);
            self.reason = sent(work, Subject::Dimension(GleanDimension::PingReason.place()), json)?;
            Ok(())
        })?;
        work.is_doubled |= doubled;
        self.has_ping_info = other.is_none();
        if other.is_some_and(|leaf| leaf != Leaf::Null) {
            work.note_body(Rule::WrongType, place(from, json));
        }
        Ok(())
    }

    /// Reads `client_info`, or whatever stands in its place.
    pub(super) fn read_client<S: Values>(
        &mut self,
        work: &mut Work<'_, S>,
        json: &mut Cursor<'_>,
    ) -> Result<(), JsonError> {
        let from = begin(json)?;
        let mut once = Once::default();
        let mut doubled = false;
        let other = members(json, |key, json| {
            if let Some(field) = FIELDS.iter().position(|field| *field == key.text) {
                doubled |= once.again(field);
                let subject = Subject::Dimension(dimension_of(field).place());
                self.fields[field] = sent(work, subject, json)?;
                return Ok(());
            }
            match key.text {
                "client_id" => {
                    doubled |= once.again(CLIENT_ID);
                    self.client_id = sent(work, Subject::Client, json)?;
                }
                "session_count" => {
                    doubled |= once.again(SESSION_COUNT);
                    self.has_session_count = true;
                    json.skip()?;
                }
                _ => json.skip()?,
            }
            Ok(())
        })?;
        work.is_doubled |= doubled;
        if other.is_some_and(|leaf| leaf != Leaf::Null) {
            work.note_body(Rule::WrongType, place(from, json));
        }
        Ok(())
    }

    /// Tells the client and the dimensions that these sections state.
    pub(super) fn tell<S: Values>(&self, work: &mut Work<'_, S>) {
        if let Some(client) = self.client_id {
            work.sink.client(work.scratch.arena.get(client.text));
        }
        tell_build_date(work, self.build_date(work));
        let field = |field: usize| self.fields[field];
        tell_text(work, GleanDimension::Channel, field(APP_CHANNEL), whole);
        tell_text(work, GleanDimension::Version, field(APP_DISPLAY_VERSION), major);
        tell_text(work, GleanDimension::Architecture, field(ARCHITECTURE), whole);
        tell_text(work, GleanDimension::Os, field(OS), whole);
        tell_text(work, GleanDimension::OsVersion, field(OS_VERSION), major_minor);
        tell_text(work, GleanDimension::Locale, field(LOCALE), whole);
        tell_text(work, GleanDimension::PingReason, self.reason, whole);
    }

    /// The day of the build: that of `build_date`; where it says none, or Glean.js wrote the moment at which it began, what
    /// `app_build` begins with. Else where a date was expected and none is.
    fn build_date<S: Values>(&self, work: &Work<'_, S>) -> Result<SubmissionDate, Option<Place>> {
        let text = |field: usize| {
            let sent = self.fields[field]?;
            known(work.scratch.arena.get(sent.text)).map(|text| (text, sent.place))
        };
        let stated = text(BUILD_DATE).filter(|_| !self.has_session_count);
        let from_build = || text(APP_BUILD).and_then(|(build, _)| build_date(build));
        let date = stated.and_then(|(date, _)| stated_date(date)).or_else(from_build);
        let broken = stated.filter(|(date, _)| leading_date(date).is_none());
        date.ok_or_else(|| broken.map(|(_, place)| place))
    }
}

/// Reads a text, or tells that something else stands there; null stands for nothing.
fn sent<S: Values>(
    work: &mut Work<'_, S>,
    subject: Subject<'_>,
    json: &mut Cursor<'_>,
) -> Result<Option<Sent>, JsonError> {
    let from = begin(json)?;
    let text = json.text_or_leaf()?;
    let place = place(from, json);
    let rule = match &text {
        Ok(text) if text.as_key().is_repaired => Some(Rule::TextRepaired),
        Ok(_) | Err(Leaf::Null) => None,
        Err(_) => Some(Rule::WrongType),
    };
    if let Some(rule) = rule {
        work.sink.note(Note {
            rule,
            subject,
            place: Some(place),
        });
    }
    Ok(text.ok().map(|text| Sent {
        text: work.scratch.arena.push(&text.text),
        place,
    }))
}

/// The date of a `build_date`; that of an SDK that does not know it is none.
fn stated_date(text: &str) -> Option<SubmissionDate> {
    leading_date(text).filter(|_| !text.starts_with(NO_BUILD_DATE))
}

/// All of a text, as most dimensions take it.
#[expect(clippy::unnecessary_wraps, reason = "versions take a part, if there is one")]
const fn whole(text: &str) -> Option<&str> {
    Some(text)
}

/// A text that says something: the SDK's word for what it does not know says nothing; old ones wrote it small.
fn known(text: &str) -> Option<&str> {
    Some(text).filter(|text| !matches!(*text, "" | "Unknown" | "unknown"))
}

fn tell_text<S: Values>(
    work: &mut Work<'_, S>,
    dimension: GleanDimension,
    sent: Option<Sent>,
    take: fn(&str) -> Option<&str>,
) {
    let Some(sent) = sent else { return };
    let Work { sink, scratch, .. } = work;
    let Some(text) = known(scratch.arena.get(sent.text)) else {
        return;
    };
    let subject = Subject::Dimension(dimension.place());
    let note = |rule| Note {
        rule,
        subject,
        place: Some(sent.place),
    };
    match take(text) {
        Some(value) if value.len() > DIMENSION_BYTES_MAX => {
            sink.note(note(Rule::TextTooLong));
            sink.dimension(dimension.place(), OTHER);
        }
        Some(value) => sink.dimension(dimension.place(), value),
        None => sink.note(note(Rule::NotAVersion)),
    }
}

fn tell_build_date<S: Values>(work: &mut Work<'_, S>, date: Result<SubmissionDate, Option<Place>>) {
    let dimension = GleanDimension::BuildDate.place();
    match date {
        Ok(date) => {
            let Work { sink, scratch, .. } = work;
            let text = scratch.arena.push(&date.to_string());
            sink.dimension(dimension, scratch.arena.get(text));
        }
        Err(Some(place)) => work.sink.note(Note {
            rule: Rule::NotADate,
            subject: Subject::Dimension(dimension),
            place: Some(place),
        }),
        Err(None) => {}
    }
}
