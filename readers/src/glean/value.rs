//! The value of one metric, or of one of its labels, by its type.

use ping::{OTHER, UNKNOWN};

use super::arena::Span;
use super::distribution::read_distribution;
use super::limits::LIST_ITEMS_MAX;
use super::section::Base;
use super::work::{Target, Work, begin, members, natural, place};
use crate::dates::{days_between, leading_date};
use crate::json::{Cursor, JsonError, Leaf, Once};
use crate::texts::{host, push_lower};
use crate::values::{Rule, Values};

/// Reads a value and stages it, or tells why it is left out.
pub(super) fn read_value<S: Values>(
    work: &mut Work<'_, S>,
    base: Base,
    target: Target,
    json: &mut Cursor<'_>,
) -> Result<(), JsonError> {
    let from = begin(json)?;
    let read = match base {
        Base::Boolean => boolean(work, target, from, json)?,
        Base::Natural => natural(json.leaf()?).and_then(|number| work.number(target, number)),
        Base::String => string(work, target, from, json)?,
        Base::StringList => string_list(work, target, json)?,
        Base::Url => url(work, target, from, json)?,
        Base::Datetime => datetime(work, target, json)?,
        Base::Timespan => timespan(work, target, json)?,
        Base::Rate => rate(work, target, json)?,
        Base::Timing | Base::Memory | Base::Custom => read_distribution(work, base, target, json)?,
    };
    if let Err(rule) = read {
        work.note(rule, target.metric, place(from, json));
    }
    Ok(())
}

fn boolean<S: Values>(
    work: &mut Work<'_, S>,
    target: Target,
    from: usize,
    json: &mut Cursor<'_>,
) -> Result<Result<(), Rule>, JsonError> {
    let Leaf::Bool(value) = json.leaf()? else {
        return Ok(Err(Rule::WrongType));
    };
    let first = work.scratch.staged.len();
    let value = if value { "true" } else { "false" };
    Ok(work.plain_value(target, value, first, place(from, json)))
}

fn string<S: Values>(
    work: &mut Work<'_, S>,
    target: Target,
    from: usize,
    json: &mut Cursor<'_>,
) -> Result<Result<(), Rule>, JsonError> {
    let Ok(text) = json.text_or_leaf()? else {
        return Ok(Err(Rule::WrongType));
    };
    let first = work.scratch.staged.len();
    Ok(work.value(target, &text, first, place(from, json)))
}

/// Every item counts, repeats too; an item that is no text is left out alone.
fn string_list<S: Values>(
    work: &mut Work<'_, S>,
    target: Target,
    json: &mut Cursor<'_>,
) -> Result<Result<(), Rule>, JsonError> {
    if json.peek()? != b'[' {
        return json.skip().map(|()| Err(Rule::WrongType));
    }
    json.enter()?;
    let first = work.scratch.staged.len();
    let mut items = 0;
    json.elements(|json| {
        let from = begin(json)?;
        items += 1;
        let read = match json.text_or_leaf()? {
            Ok(_) if items > LIST_ITEMS_MAX => {
                work.note(Rule::TooManyValues, target.metric, place(from, json));
                work.plain_value(target, OTHER, first, place(from, json))
            }
            Ok(text) => work.value(target, &text, first, place(from, json)),
            Err(_) => Err(Rule::WrongType),
        };
        if let Err(rule) = read {
            work.note(rule, target.metric, place(from, json));
        }
        Ok(())
    })?;
    Ok(Ok(()))
}

/// Counts by its host; without one as `UNKNOWN`.
fn url<S: Values>(
    work: &mut Work<'_, S>,
    target: Target,
    from: usize,
    json: &mut Cursor<'_>,
) -> Result<Result<(), Rule>, JsonError> {
    let Ok(text) = json.text_or_leaf()? else {
        return Ok(Err(Rule::WrongType));
    };
    let first = work.scratch.staged.len();
    let place = place(from, json);
    if text.as_key().is_repaired {
        work.note(Rule::TextRepaired, target.metric, place);
    }
    let Some(host) = host(&text.text) else {
        return Ok(work.plain_value(target, UNKNOWN, first, place));
    };
    if host
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    {
        return Ok(work.plain_value(target, host, first, place));
    }
    let mut lower = String::new();
    push_lower(host, &mut lower);
    Ok(work.plain_value(target, &lower, first, place))
}

/// Counts by its age in days.
fn datetime<S: Values>(
    work: &mut Work<'_, S>,
    target: Target,
    json: &mut Cursor<'_>,
) -> Result<Result<(), Rule>, JsonError> {
    let Ok(text) = json.text_or_leaf()? else {
        return Ok(Err(Rule::WrongType));
    };
    let Some(date) = leading_date(&text.text) else {
        return Ok(Err(Rule::NotADate));
    };
    Ok(work.number(target, days_between(date, work.received)))
}

/// Counts in nanoseconds.
fn timespan<S: Values>(
    work: &mut Work<'_, S>,
    target: Target,
    json: &mut Cursor<'_>,
) -> Result<Result<(), Rule>, JsonError> {
    let (mut unit, mut value) = (Err(Rule::WrongType), Err(Rule::WrongType));
    let mut once = Once::default();
    let mut doubled = false;
    let other = members(json, |key, json| {
        match key.text {
            "time_unit" => {
                doubled |= once.again(0);
                let text = json.text_or_leaf()?;
                let text = text.map_err(|_| Rule::WrongType);
                unit = text.and_then(|text| nanoseconds(&text.text).ok_or(Rule::NotAUnit));
            }
            "value" => {
                doubled |= once.again(1);
                value = natural(json.leaf()?);
            }
            _ => json.skip()?,
        }
        Ok(())
    })?;
    work.is_doubled |= doubled;
    if other.is_some() {
        return Ok(Err(Rule::WrongType));
    }
    Ok(unit.and_then(|unit| {
        let nanoseconds = value?.checked_mul(unit).ok_or(Rule::NumberTooLarge)?;
        work.number(target, nanoseconds)
    }))
}

/// Nanoseconds in a unit of time.
pub(super) fn nanoseconds(unit: &str) -> Option<i64> {
    Some(match unit {
        "nanosecond" => 1,
        "microsecond" => 1_000,
        "millisecond" => 1_000_000,
        "second" => 1_000_000_000,
        "minute" => 60_000_000_000,
        "hour" => 3_600_000_000_000,
        "day" => 86_400_000_000_000,
        _ => return None,
    })
}

/// Two metrics, `…:numerator` and `…:denominator`; one alone is none.
fn rate<S: Values>(
    work: &mut Work<'_, S>,
    target: Target,
    json: &mut Cursor<'_>,
) -> Result<Result<(), Rule>, JsonError> {
    let mut sides = [Err(Rule::WrongType); 2];
    let mut once = Once::default();
    let mut doubled = false;
    let other = members(json, |key, json| {
        let side = match key.text {
            "numerator" => 0,
            "denominator" => 1,
            _ => return json.skip(),
        };
        doubled |= once.again(side);
        sides[side] = natural(json.leaf()?);
        Ok(())
    })?;
    work.is_doubled |= doubled;
    if other.is_some() {
        return Ok(Err(Rule::WrongType));
    }
    let [numerator, denominator] = sides;
    work.scratch.staged.may_meet();
    Ok(numerator.and_then(|numerator| {
        let denominator = denominator?;
        for (suffix, number) in [(":numerator", numerator), (":denominator", denominator)] {
            let metric = suffixed(work, target.metric, suffix);
            let label = target.label;
            work.number(Target { metric, label }, number)?;
        }
        Ok(())
    }))
}

fn suffixed<S: Values>(work: &mut Work<'_, S>, metric: Span, suffix: &str) -> Span {
    let arena = &mut work.scratch.arena;
    let end = arena.push("");
    arena.join(metric, suffix, end)
}
