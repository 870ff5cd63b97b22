//! `metrics`: sections by type, metrics by name, values by label.

use ping::OTHER;

use super::arena::Span;
use super::dual_label::push_encoded;
use super::limits::{LABEL_CHARACTERS_MAX, LABELS_PER_METRIC_MAX, NAME_BYTES_MAX};
use super::section::{Base, Section};
use super::value::read_value;
use super::work::{Names, Target, Work, begin, place};
use crate::json::{Cursor, JsonError, Leaf};
use crate::values::{Name, Rule, Values};

/// Reads `metrics`, or whatever stands in its place.
pub(super) fn read_metrics<S: Values>(
    work: &mut Work<'_, S>,
    json: &mut Cursor<'_>,
) -> Result<(), JsonError> {
    let from = begin(json)?;
    let other = work.named(Names::Sections, json, |work, key, json| {
        let section = Section::of(work.scratch.arena.get(key.name));
        read_section(work, section, json)
    })?;
    not_an_object(work, other, from, json);
    Ok(())
}

fn read_section<S: Values>(
    work: &mut Work<'_, S>,
    section: Section,
    json: &mut Cursor<'_>,
) -> Result<(), JsonError> {
    let from = begin(json)?;
    let other = work.named(Names::Metrics, json, |work, key, json| {
        let from = begin(json)?;
        work.begin_metric(key);
        if work.scratch.arena.get(key.name).len() > NAME_BYTES_MAX {
            json.skip()?;
            work.note_body(Rule::NameTooLong, place(from, json));
            return Ok(());
        }
        read_metric(work, section, key.name, json)?;
        if key.is_repaired {
            work.note(Rule::TextRepaired, key.name, place(from, json));
        }
        Ok(())
    })?;
    not_an_object(work, other, from, json);
    Ok(())
}

/// Null stands for an absent object; anything else is told.
fn not_an_object<S: Values>(work: &mut Work<'_, S>, other: Option<Leaf>, from: usize, json: &Cursor<'_>) {
    if other.is_some_and(|leaf| leaf != Leaf::Null) {
        work.note_body(Rule::WrongType, place(from, json));
    }
}

fn read_metric<S: Values>(
    work: &mut Work<'_, S>,
    section: Section,
    metric: Span,
    json: &mut Cursor<'_>,
) -> Result<(), JsonError> {
    match section {
        Section::Plain(base) => read_value(work, base, Target { metric, label: None }, json),
        Section::Labelled(base) => read_labelled(work, base, metric, json),
        Section::DualLabelled => read_dual(work, metric, json),
        Section::Stored => {
            json.skip()?;
            let Work { sink, scratch, .. } = work;
            sink.stored(Name::Sent(scratch.arena.get(metric)));
            Ok(())
        }
    }
}

fn read_labelled<S: Values>(
    work: &mut Work<'_, S>,
    base: Base,
    metric: Span,
    json: &mut Cursor<'_>,
) -> Result<(), JsonError> {
    let from = begin(json)?;
    let mut labels = 0;
    let other = work.named(Names::Labels, json, |work, key, json| {
        let from = begin(json)?;
        labels += 1;
        let (label, rule) = admit(work, &[key.name], key.name, labels);
        let label = Some(label);
        read_value(work, base, Target { metric, label }, json)?;
        note_label(work, metric, rule, key.is_repaired, from, json);
        Ok(())
    })?;
    if other.is_some() {
        work.note(Rule::WrongType, metric, place(from, json));
    }
    Ok(())
}

/// Keys, in each of them categories; a label is `key/category`.
fn read_dual<S: Values>(
    work: &mut Work<'_, S>,
    metric: Span,
    json: &mut Cursor<'_>,
) -> Result<(), JsonError> {
    let from = begin(json)?;
    let mut labels = 0;
    let other = work.named(Names::Labels, json, |work, key, json| {
        let from = begin(json)?;
        let key_side = encoded(work, key.name);
        let other = work.named(Names::SecondLabels, json, |work, category, json| {
            let from = begin(json)?;
            labels += 1;
            let category_side = encoded(work, category.name);
            let joined = work.scratch.arena.join(key_side, "/", category_side);
            let (label, rule) = admit(work, &[key.name, category.name], joined, labels);
            let label = Some(label);
            read_value(work, Base::Natural, Target { metric, label }, json)?;
            let is_repaired = key.is_repaired || category.is_repaired;
            note_label(work, metric, rule, is_repaired, from, json);
            Ok(())
        })?;
        if other.is_some() {
            work.note(Rule::WrongType, metric, place(from, json));
        }
        Ok(())
    })?;
    if other.is_some() {
        work.note(Rule::WrongType, metric, place(from, json));
    }
    Ok(())
}

fn encoded<S: Values>(work: &mut Work<'_, S>, side: Span) -> Span {
    let Work { scratch, .. } = work;
    let text = scratch.arena.get(side);
    if !text.contains(['/', '%']) {
        return side;
    }
    let text = text.to_owned();
    scratch.arena.write(|all| push_encoded(&text, all))
}

/// The label under which a value counts, and why if that is `OTHER`. `sides` are what it is made of, as sent.
fn admit<S: Values>(
    work: &mut Work<'_, S>,
    sides: &[Span],
    label: Span,
    labels: usize,
) -> (Span, Option<Rule>) {
    let arena = &mut work.scratch.arena;
    let is_long = |side: &Span| {
        let text = arena.get(*side);
        text.len() > LABEL_CHARACTERS_MAX && text.chars().count() > LABEL_CHARACTERS_MAX
    };
    let rule = if sides.iter().any(is_long) {
        Some(Rule::LabelTooLong)
    } else if labels > LABELS_PER_METRIC_MAX {
        Some(Rule::TooManyLabels)
    } else if arena.get(label).is_empty() {
        Some(Rule::NoLabel)
    } else {
        None
    };
    if rule.is_some() {
        work.scratch.staged.may_meet();
        (arena.push(OTHER), rule)
    } else {
        (label, rule)
    }
}

fn note_label<S: Values>(
    work: &mut Work<'_, S>,
    metric: Span,
    rule: Option<Rule>,
    is_repaired: bool,
    from: usize,
    json: &Cursor<'_>,
) {
    let repaired = is_repaired.then_some(Rule::TextRepaired);
    for rule in rule.into_iter().chain(repaired) {
        work.note(rule, metric, place(from, json));
    }
}
