//! What the parts of the reader share while one ping is read: the sink, what is staged, and what was seen twice.

use ping::{OTHER, SubmissionDate};

use super::arena::{Arena, Span};
use super::custom_layouts::CustomLayouts;
use super::edges::Edges;
use super::limits::{STRING_BYTES_MAX, TEXT_BYTES_KEPT, THINGS_KEPT, VALUES_PER_PING_MAX};
use super::staged::Staged;
use crate::json::{Cursor, JsonError, Key, Keys, Leaf, Text};
use crate::values::{Name, Note, Place, Rule, Subject, Values};

/// Room that is used again for the next ping.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) arena: Arena,
    pub(super) staged: Staged,
    /// The names of sections, metrics, labels and second labels, from ping to ping.
    names: [Keys; 4],
    /// How many objects of names were read.
    objects: u64,
    /// By the numbers of metrics' names: the ping in which one came last.
    told: Vec<u64>,
    pings: u64,
    /// Which lower bounds are some.
    pub(super) edges: Edges,
    /// Names of events, and the rates of their sessions.
    pub(super) events: Vec<(Span, Option<f64>)>,
    /// How many bins the ping's distributions stated so far.
    pub(super) bins_stated: usize,
}

impl Scratch {
    /// Empties it; the room of one large ping is not kept for the small ones that follow.
    pub(super) fn clear(&mut self) {
        let names: usize = self.names.iter().map(Keys::len).sum();
        let things = names.max(self.events.capacity()).max(self.staged.capacity());
        let names_bytes: usize = self.names.iter().map(Keys::bytes).sum();
        let texts = names_bytes.max(self.arena.capacity());
        if texts > TEXT_BYTES_KEPT || things > THINGS_KEPT {
            *self = Self::default();
        }
        self.pings += 1;
        self.arena.clear();
        self.staged.clear();
        self.events.clear();
        self.bins_stated = 0;
    }
}

/// One ping's reading.
pub(super) struct Work<'a, S> {
    pub(super) sink: &'a mut S,
    pub(super) custom: &'a CustomLayouts,
    pub(super) received: SubmissionDate,
    pub(super) scratch: &'a mut Scratch,
    /// Whether a key stood twice in one object.
    pub(super) is_doubled: bool,
}

/// Whose value is read: a metric, and the label under which it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) metric: Span,
    pub(super) label: Option<Span>,
}

impl<S: Values> Work<'_, S> {
    /// Tells that something of a metric is left out or counts otherwise.
    pub(super) fn note(&mut self, rule: Rule, metric: Span, place: Place) {
        let name = self.scratch.arena.get(metric);
        self.sink.note(Note {
            rule,
            subject: Subject::Metric(Name::Sent(name)),
            place: Some(place),
        });
    }

    /// Tells the same of what belongs to no metric.
    pub(super) fn note_body(&mut self, rule: Rule, place: Place) {
        self.sink.note(Note {
            rule,
            subject: Subject::Body,
            place: Some(place),
        });
    }

    /// Stages a number, if there is room.
    pub(super) fn number(&mut self, target: Target, number: i64) -> Result<(), Rule> {
        self.room()?;
        let Target { metric, label } = target;
        self.scratch.staged.number(metric, label, number);
        Ok(())
    }

    /// Stages a value that counts by its name, if there is room. `first` is how many were staged when its place began.
    pub(super) fn value(
        &mut self,
        target: Target,
        text: &Text<'_>,
        first: usize,
        place: Place,
    ) -> Result<(), Rule> {
        if text.as_key().is_repaired {
            self.note(Rule::TextRepaired, target.metric, place);
        }
        self.plain_value(target, &text.text, first, place)
    }

    /// The same of a text that was not sent as it is.
    pub(super) fn plain_value(
        &mut self,
        target: Target,
        value: &str,
        first: usize,
        place: Place,
    ) -> Result<(), Rule> {
        self.room()?;
        let is_long = value.len() > STRING_BYTES_MAX;
        if is_long {
            self.note(Rule::TextTooLong, target.metric, place);
        }
        let value = if is_long { OTHER } else { value };
        let Scratch { arena, staged, .. } = &mut *self.scratch;
        staged.value(target.metric, target.label, value, first, arena);
        Ok(())
    }

    /// Whether another value of this ping is taken.
    pub(super) const fn room(&self) -> Result<(), Rule> {
        if self.scratch.staged.len() < VALUES_PER_PING_MAX {
            Ok(())
        } else {
            Err(Rule::TooManyMetrics)
        }
    }

    /// Reads the members of an object whose keys are names; of anything else says what it is. Names that stand there twice
    /// make the ping an errored one, but for those that could not be read: they may have been sent as two.
    pub(super) fn named(
        &mut self,
        names: Names,
        json: &mut Cursor<'_>,
        mut each: impl FnMut(&mut Self, NamedKey, &mut Cursor<'_>) -> Result<(), JsonError>,
    ) -> Result<Option<Leaf>, JsonError> {
        if !json.enter_object()? {
            return json.leaf().map(Some);
        }
        if json.closes(b'}')? {
            return Ok(None);
        }
        self.scratch.objects += 1;
        let object = self.scratch.objects;
        loop {
            let Scratch {
                names: all, arena, ..
            } = &mut *self.scratch;
            let all = &mut all[names as usize];
            let seen = all.read(json, object)?;
            let name = arena.push(all.text(seen.id));
            self.is_doubled |= seen.again;
            if seen.is_repaired {
                self.scratch.staged.may_meet();
            }
            let key = NamedKey {
                name,
                number: seen.id,
                is_repaired: seen.is_repaired,
            };
            each(self, key, json)?;
            if !json.goes_on(b'}')? {
                return Ok(None);
            }
        }
    }

    /// Notes that a metric of this name is read: a second section may have one of the same name.
    pub(super) fn begin_metric(&mut self, name: NamedKey) {
        let Scratch {
            told, pings, staged, ..
        } = &mut *self.scratch;
        let number = name.number as usize;
        if number >= told.len() {
            told.resize(number + 1, 0);
        }
        if std::mem::replace(&mut told[number], *pings) == *pings {
            staged.may_meet();
        }
    }
}

/// Which names an object's keys are: names of one kind come in the order in which they came before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Names {
    Sections,
    Metrics,
    Labels,
    SecondLabels,
}

/// A name that was kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct NamedKey {
    pub(super) name: Span,
    /// Its number among the names of its kind.
    number: u32,
    pub(super) is_repaired: bool,
}

/// Reads the members of an object, each by `each`; of anything else says what it is.
pub(super) fn members(
    json: &mut Cursor<'_>,
    mut each: impl FnMut(Key<'_>, &mut Cursor<'_>) -> Result<(), JsonError>,
) -> Result<Option<Leaf>, JsonError> {
    if !json.enter_object()? {
        return json.leaf().map(Some);
    }
    if json.closes(b'}')? {
        return Ok(None);
    }
    loop {
        let key = json.key()?;
        each(key.as_key(), json)?;
        if !json.goes_on(b'}')? {
            return Ok(None);
        }
    }
}

/// Where the next value begins.
pub(super) fn begin(json: &mut Cursor<'_>) -> Result<usize, JsonError> {
    json.peek()?;
    Ok(json.at())
}

/// The place of the value that began at `from` and was read.
pub(super) const fn place(from: usize, json: &Cursor<'_>) -> Place {
    Place { from, to: json.at() }
}

/// A natural number, as counters, quantities and sums are. How it is written does not matter: `3.0` and `3e0` are 3, and `-0` is 0.
pub(super) fn natural(leaf: Leaf) -> Result<i64, Rule> {
    match leaf {
        Leaf::Whole(number) if number >= 0 => Ok(number),
        Leaf::Whole(_) => Err(Rule::NumberNegative),
        Leaf::Beyond => Err(Rule::NumberTooLarge),
        Leaf::Fraction(number) if number.fract() == 0.0 => natural_double(number),
        _ => Err(Rule::WrongType),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "compared with both ends before")]
fn natural_double(number: f64) -> Result<i64, Rule> {
    /// 2^63: the first number that is too large.
    const END: f64 = 9_223_372_036_854_775_808.0;
    match number {
        ..0.0 => Err(Rule::NumberNegative),
        END.. => Err(Rule::NumberTooLarge),
        _ => Ok(number as i64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_natural_number_is_one_however_it_is_written() {
        for (text, number) in [
            ("3", Ok(3)),
            ("3.0", Ok(3)),
            ("3e0", Ok(3)),
            ("1e2", Ok(100)),
            ("1.5e1", Ok(15)),
            ("-0", Ok(0)),
            ("-0.0", Ok(0)),
            ("9007199254740993", Ok(9_007_199_254_740_993)),
            ("9223372036854774784.0", Ok(9_223_372_036_854_774_784)),
            ("9223372036854775808.0", Err(Rule::NumberTooLarge)),
            ("1e300", Err(Rule::NumberTooLarge)),
            ("-1", Err(Rule::NumberNegative)),
            ("-1.0", Err(Rule::NumberNegative)),
            ("-1e300", Err(Rule::NumberNegative)),
            ("0.5", Err(Rule::WrongType)),
            ("-0.5", Err(Rule::WrongType)),
            ("\"3\"", Err(Rule::WrongType)),
            ("null", Err(Rule::WrongType)),
        ] {
            let leaf = Cursor::new(text.as_bytes()).leaf().expect(text);
            assert_eq!(natural(leaf), number, "{text}");
        }
    }
}
