//! What is read at the end of a declared path.

use ping::OTHER;

use super::limits::ITEMS_PER_PING_MAX;
use super::number;
use super::plan::Plan;
use super::room::{Category, Sample, Span, State};
use super::trie::Target;
use super::walk::{BodyError, Walk};
use crate::dates::{days_between, leading_date};
use crate::declaration::Type;
use crate::json::{Cursor, Leaf};
use crate::values::{Contribution, Kind, Name, Place, Rule, Subject, Values};

/// A metric's value on its way: whose it is, under which label.
#[derive(Clone, Copy)]
pub(super) struct Slot<'r> {
    pub(super) plan: &'r Plan,
    pub(super) listed: u32,
    pub(super) label: Span,
}

impl Slot<'_> {
    pub(super) const fn subject(&self) -> Subject<'static> {
        Subject::Metric(Name::Listed(self.listed))
    }
}

impl<V: Values> Walk<'_, V> {
    pub(super) fn take(
        &mut self,
        target: Target,
        state: State,
        json: &mut Cursor<'_>,
    ) -> Result<(), BodyError> {
        match target {
            Target::Client => self.client(json),
            Target::Dimension(place) => self.dimension(place, json),
            Target::Metric(place) => self.metric(place, state, json),
        }
    }

    fn metric(&mut self, metric: u32, state: State, json: &mut Cursor<'_>) -> Result<(), BodyError> {
        let reader = self.reader;
        let plan = &reader.metrics[metric as usize];
        json.peek()?;
        let mut slot = Slot {
            plan,
            listed: plan.listed,
            label: Span::NONE,
        };
        let before = (self.room.items(), self.room.texts.len());
        if plan.metric.labeled && !self.find_label(&mut slot, state, json)? {
            return Ok(());
        }
        self.values(slot, json)?;
        if self.room.items() == before.0 {
            // Nobody needs the label.
            self.room.texts.truncate(before.1);
        }
        Ok(())
    }

    /// Reads a metric's value or values.
    fn values(&mut self, slot: Slot<'_>, json: &mut Cursor<'_>) -> Result<(), BodyError> {
        let start = json.at();
        match slot.plan.metric.kind {
            Type::Boolean => {
                let leaf = json.leaf()?;
                match leaf {
                    Leaf::Bool(value) => {
                        let value = if value { "true" } else { "false" };
                        self.category(slot, value, since(start, json));
                    }
                    leaf => self.wrong(slot, leaf, since(start, json)),
                }
                Ok(())
            }
            Type::Text => self.text(slot, json),
            Type::TextList => {
                if json.peek()? == b'[' {
                    json.enter()?;
                    json.elements_by(|json| self.text(slot, json))
                } else if slot.plan.metric.path.stars() > 0 {
                    self.text(slot, json)
                } else {
                    let leaf = json.leaf()?;
                    self.wrong(slot, leaf, since(start, json));
                    Ok(())
                }
            }
            Type::Datetime => self.age(slot, json),
            Type::Rate => self.rate(slot, json),
            Type::Counter | Type::Quantity | Type::Timespan => {
                let leaf = json.leaf()?;
                self.number(slot, leaf, since(start, json));
                Ok(())
            }
            Type::TimingDistribution | Type::MemoryDistribution | Type::CustomDistribution => {
                self.distribution(slot, json)
            }
        }
    }

    /// Finds the label of a value. False, and the value passed, if it has none. One that does not count is `OTHER`.
    fn find_label(
        &mut self,
        slot: &mut Slot<'_>,
        state: State,
        json: &mut Cursor<'_>,
    ) -> Result<bool, BodyError> {
        let start = json.at();
        if state.label == Span::NONE {
            json.skip()?;
            self.note(Rule::NoLabel, slot.subject(), since(start, json));
            return Ok(false);
        }
        let label = &self.room.path[state.label.from as usize..state.label.to as usize];
        let labels = &slot.plan.labels;
        let rule = if label.is_empty() && !state.too_long {
            Some(Rule::NoLabel)
        } else if state.too_long {
            Some(Rule::LabelTooLong)
        } else if !labels.is_empty()
            && labels
                .binary_search_by(|known| known.as_str().cmp(label))
                .is_err()
        {
            Some(Rule::ValueNotDeclared)
        } else {
            None
        };
        slot.label = match rule {
            Some(_) => Span::OTHER,
            None => {
                let from = self.room.texts.len();
                self.room.texts.push_str(label);
                Span::of(from, self.room.texts.len())
            }
        };
        if let Some(rule) = rule {
            let mut ahead = json.clone();
            ahead.skip()?;
            self.note(rule, slot.subject(), since(start, &ahead));
        }
        Ok(true)
    }

    /// Reads a text that is a category.
    fn text(&mut self, slot: Slot<'_>, json: &mut Cursor<'_>) -> Result<(), BodyError> {
        json.peek()?;
        let start = json.at();
        let read = json.text_or_leaf()?;
        let place = since(start, json);
        let sent = match read {
            Ok(sent) => sent,
            Err(leaf) => {
                self.wrong(slot, leaf, place);
                return Ok(());
            }
        };
        if sent.as_key().is_repaired {
            self.note(Rule::TextRepaired, slot.subject(), place);
        }
        let (metric, values) = (&slot.plan.metric, &slot.plan.values);
        let is_long =
            sent.text.len() > metric.max_length && sent.text.chars().nth(metric.max_length).is_some();
        if is_long {
            self.note(Rule::TextTooLong, slot.subject(), place);
            self.category(slot, OTHER, place);
        } else if !values.is_empty()
            && values
                .binary_search_by(|known| known.as_str().cmp(&sent.text))
                .is_err()
        {
            self.note(Rule::ValueNotDeclared, slot.subject(), place);
            self.category(slot, OTHER, place);
        } else {
            self.category(slot, &sent.text, place);
        }
        Ok(())
    }

    fn age(&mut self, slot: Slot<'_>, json: &mut Cursor<'_>) -> Result<(), BodyError> {
        let start = json.at();
        let read = json.text_or_leaf()?;
        let place = since(start, json);
        match read {
            Ok(sent) => match leading_date(&sent.text) {
                Some(date) => {
                    let age = days_between(date, self.received);
                    self.sample(slot, age, place);
                }
                None => self.note(Rule::NotADate, slot.subject(), place),
            },
            Err(leaf) => self.wrong(slot, leaf, place),
        }
        Ok(())
    }

    /// Tells that a value is of another type, unless it is null, which is as good as absent.
    pub(super) fn wrong(&mut self, slot: Slot<'_>, leaf: Leaf, place: Place) {
        if leaf != Leaf::Null {
            self.note(Rule::WrongType, slot.subject(), place);
        }
    }

    /// Takes up a number, if it is one.
    pub(super) fn number(&mut self, slot: Slot<'_>, leaf: Leaf, place: Place) {
        let metric = &slot.plan.metric;
        match number::whole(leaf, metric.factor, metric.kind.may_be_negative()) {
            Ok(Some(number)) => self.sample(slot, number, place),
            Ok(None) => {}
            Err(rule) => self.note(rule, slot.subject(), place),
        }
    }

    fn sample(&mut self, slot: Slot<'_>, number: i64, place: Place) {
        let bin = slot.plan.bin_of(number);
        if slot.plan.is_many {
            self.samples(slot, (bin, number), 1, place);
            return;
        }
        self.sink.contribution(Contribution {
            metric: Name::Listed(slot.listed),
            label: None,
            kind: Kind::Number,
            layout: slot.plan.metric.layout,
            sum: number,
            bins: &[(bin, 1)],
        });
    }

    /// Takes up samples of one bin until the end of the ping.
    pub(super) fn samples(&mut self, slot: Slot<'_>, (bin, value): (i64, i64), samples: i64, place: Place) {
        if self.has_room(slot, place) {
            let sample = Sample {
                metric: slot.listed,
                label: slot.label,
                begin: self.room.begin_of(slot.label),
                bin,
                value,
                samples,
                place: Span::of(place.from, place.to),
            };
            self.room.samples.push(sample);
        }
    }

    fn category(&mut self, slot: Slot<'_>, value: &str, place: Place) {
        if !slot.plan.is_many {
            self.sink.category(Name::Listed(slot.listed), None, value, 1);
        } else if self.has_room(slot, place) {
            let value = self.room.keep(value);
            self.room.categories.push(Category {
                metric: slot.listed,
                label: slot.label,
                value,
                place: Span::of(place.from, place.to),
            });
        }
    }

    fn has_room(&mut self, slot: Slot<'_>, place: Place) -> bool {
        let items = self.room.items();
        if items >= ITEMS_PER_PING_MAX {
            self.note(Rule::TooManySamples, slot.subject(), place);
        }
        items < ITEMS_PER_PING_MAX
    }
}

/// The bytes that were passed since the cursor stood at `start`.
pub(super) const fn since(start: usize, json: &Cursor<'_>) -> Place {
    Place {
        from: start,
        to: json.at(),
    }
}
