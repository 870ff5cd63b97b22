//! `events`: how often each happened, and at which rates the sessions were sampled in which it happened.

use super::arena::Span;
use super::limits::{NAME_BYTES_MAX, VALUES_PER_PING_MAX};
use super::work::{Scratch, Target, Work, begin, members, place};
use crate::json::{Cursor, JsonError, Leaf, Once, Text};
use crate::values::{Name, Note, Rates, Rule, Subject, Values};

/// What the names of metrics that count events begin with.
pub const EVENTS: &str = "events:";

/// Reads `events`, or whatever stands in its place.
pub(super) fn read_events<S: Values>(work: &mut Work<'_, S>, json: &mut Cursor<'_>) -> Result<(), JsonError> {
    let from = begin(json)?;
    if json.peek()? != b'[' {
        if json.leaf()? != Leaf::Null {
            work.note_body(Rule::WrongType, place(from, json));
        }
        return Ok(());
    }
    json.enter()?;
    json.elements(|json| {
        let from = begin(json)?;
        if let Err(rule) = read_event(work, from, json)? {
            work.note_body(rule, place(from, json));
        }
        Ok(())
    })
}

fn read_event<S: Values>(
    work: &mut Work<'_, S>,
    from: usize,
    json: &mut Cursor<'_>,
) -> Result<Result<(), Rule>, JsonError> {
    let (mut category, mut name, mut rate) = (None, None, Ok(None));
    let mut once = Once::default();
    let mut doubled = false;
    let other = members(json, |key, json| {
        match key.text {
            "category" => {
                doubled |= once.again(0);
                category = kept(work, json)?;
            }
            "name" => {
                doubled |= once.again(1);
                name = kept(work, json)?;
            }
            "session" => {
                doubled |= once.again(2);
                let (read, again) = session_rate(json)?;
                rate = read;
                doubled |= again;
            }
            _ => json.skip()?,
        }
        Ok(())
    })?;
    work.is_doubled |= doubled;
    let (Some(category), Some(name), None) = (category, name, other) else {
        return Ok(Err(Rule::WrongType));
    };
    if work.scratch.events.len() >= VALUES_PER_PING_MAX {
        return Ok(Err(Rule::TooManyMetrics));
    }
    let Scratch { arena, events, .. } = &mut *work.scratch;
    let event = arena.join(category.0, ".", name.0);
    if arena.get(event).len() > NAME_BYTES_MAX {
        return Ok(Err(Rule::NameTooLong));
    }
    let prefix = arena.push(EVENTS);
    let metric = arena.join(prefix, "", event);
    events.push((metric, rate.unwrap_or(None)));
    let notes = [
        (category.1 || name.1, Rule::TextRepaired),
        (rate.is_err(), Rule::WrongType),
    ];
    for (_, rule) in notes.into_iter().filter(|(holds, _)| *holds) {
        work.note(rule, metric, place(from, json));
    }
    Ok(Ok(()))
}

/// A text that is kept, and whether it was repaired; none when something else stands there.
fn kept<S: Values>(work: &mut Work<'_, S>, json: &mut Cursor<'_>) -> Result<Option<(Span, bool)>, JsonError> {
    let text = json.text_or_leaf()?.ok();
    Ok(text.map(|text: Text<'_>| (work.scratch.arena.push(&text.text), text.as_key().is_repaired)))
}

/// The rate of a session, if it states one, and whether a key stood there twice. What is no rate is told, and the event
/// counts like one without a session.
fn session_rate(json: &mut Cursor<'_>) -> Result<(Result<Option<f64>, Rule>, bool), JsonError> {
    let mut rate = Ok(None);
    let mut once = Once::default();
    let mut doubled = false;
    let other = members(json, |key, json| {
        if key.text != "session_sample_rate" {
            return json.skip();
        }
        doubled |= once.again(0);
        rate = match json.leaf()? {
            Leaf::Whole(1) => Ok(Some(1.0)),
            Leaf::Fraction(rate) if rate > 0.0 && rate <= 1.0 => Ok(Some(rate)),
            Leaf::Null => Ok(None),
            _ => Err(Rule::WrongType),
        };
        Ok(())
    })?;
    if other.is_some_and(|leaf| leaf != Leaf::Null) {
        rate = Err(Rule::WrongType);
    }
    Ok((rate, doubled))
}

/// Stages how often each event happened, and tells the rates.
pub(super) fn count_events<S: Values>(work: &mut Work<'_, S>) {
    let mut events = std::mem::take(&mut work.scratch.events);
    let arena = &work.scratch.arena;
    events.sort_by(|a, b| arena.get(a.0).cmp(arena.get(b.0)));
    if !events.is_empty() {
        work.scratch.staged.may_meet();
    }
    let mut rest = &events[..];
    while let Some(&(metric, _)) = rest.first() {
        let arena = &work.scratch.arena;
        let name = arena.get(metric);
        let times = rest.partition_point(|(other, _)| arena.get(*other) == name);
        let (these, others) = rest.split_at(times);
        let rates = these.iter().filter_map(|(_, rate)| *rate);
        let lowest = rates.clone().fold(f64::INFINITY, f64::min);
        if lowest.is_finite() {
            let highest = rates.fold(lowest, f64::max);
            work.sink.sampled(Name::Sent(name), Rates { lowest, highest });
        }
        let target = Target { metric, label: None };
        let times = i64::try_from(times).unwrap_or(i64::MAX);
        if let Err(rule) = work.number(target, times) {
            work.sink.note(Note {
                rule,
                subject: Subject::Metric(Name::Sent(work.scratch.arena.get(metric))),
                place: None,
            });
        }
        rest = others;
    }
    events.clear();
    work.scratch.events = events;
}
