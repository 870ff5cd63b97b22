//! The walk over one body, along all declared paths at once.

use ping::SubmissionDate;

use super::limits::LABEL_BYTES_MAX;
use super::plan::Reader;
use super::room::{Room, Span, State};
use super::trie::{JOINED, PLAIN};
use crate::json::{Cursor, JsonError};
use crate::values::{Note, Place, Rule, Subject, Values};

/// Why a whole body tells nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum BodyError {
    /// It cannot be read.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It is JSON, but no object.
    #[error("JSON, but no object")]
    NotAnObject,
    /// A declared key stands twice in one object: a document with two answers has none.
    #[error("a declared key stands twice in one object")]
    DuplicateKey,
}

/// A key as it was sent.
#[derive(Clone, Copy)]
struct Sent<'a> {
    /// Its text: UTF-8.
    key: &'a [u8],
    /// Whether something in it was replaced.
    is_repaired: bool,
}

/// One ping on its way to the sink.
pub(super) struct Walk<'r, V> {
    pub(super) reader: &'r Reader,
    pub(super) room: &'r mut Room,
    pub(super) sink: &'r mut V,
    pub(super) received: SubmissionDate,
}

impl<V: Values> Walk<'_, V> {
    /// Reads a body, all of it.
    pub(super) fn body(&mut self, body: &[u8]) -> Result<(), BodyError> {
        let mut json = Cursor::new(body);
        if json.peek()? != b'{' {
            json.skip()?;
            json.end()?;
            return Err(BodyError::NotAnObject);
        }
        for (node, joins) in [(PLAIN, false), (JOINED, true)] {
            if self.reader.trie.nodes[node as usize].goes_on() {
                let label = Span::NONE;
                self.room.states.push(State {
                    node,
                    label,
                    joins,
                    too_long: false,
                });
            }
        }
        self.inside(&mut json, 0)?;
        Ok(json.end()?)
    }

    /// Reads a value at which the states from this place on stand.
    fn value(&mut self, json: &mut Cursor<'_>, from: usize) -> Result<(), BodyError> {
        let nodes = &self.reader.trie.nodes;
        let states = &self.room.states[from..];
        let goes_on = states.iter().any(|state| nodes[state.node as usize].goes_on());
        // Each target but the last reads ahead, so that the next one can.
        let mut left: usize = states
            .iter()
            .map(|state| nodes[state.node as usize].targets.len())
            .sum();
        for place in from..self.room.states.len() {
            let state = self.room.states[place];
            for &target in &nodes[state.node as usize].targets {
                left -= 1;
                if left == 0 && !goes_on {
                    return self.take(target, state, json);
                }
                self.take(target, state, &mut json.clone())?;
            }
        }
        self.inside(json, from)
    }

    /// Reads what lies inside a value.
    fn inside(&mut self, json: &mut Cursor<'_>, from: usize) -> Result<(), BodyError> {
        match json.peek()? {
            b'{' => {
                json.enter()?;
                if json.closes(b'}')? {
                    return Ok(());
                }
                self.room.serial += 1;
                let serial = self.room.serial;
                loop {
                    json.peek()?;
                    let start = json.at();
                    let read;
                    let sent = match json.ascii_key()? {
                        Some(key) => Sent {
                            key,
                            is_repaired: false,
                        },
                        None => {
                            read = json.key()?;
                            Sent {
                                key: read.text.as_bytes(),
                                is_repaired: read.as_key().is_repaired,
                            }
                        }
                    };
                    let place = Place {
                        from: start,
                        to: json.at(),
                    };
                    self.below(json, |walk, to| walk.follow_member(from..to, sent, place, serial))?;
                    if !json.goes_on(b'}')? {
                        return Ok(());
                    }
                }
            }
            b'[' => {
                json.enter()?;
                let mut number = 0;
                json.elements_by(|json| {
                    self.below(json, |walk, to| {
                        walk.follow_element(from..to, number);
                        Ok(())
                    })?;
                    number += 1;
                    Ok(())
                })
            }
            _ => Ok(json.skip()?),
        }
    }

    /// Reads what lies under one key, with the states that `follow` puts behind those there are.
    fn below(
        &mut self,
        json: &mut Cursor<'_>,
        follow: impl FnOnce(&mut Self, usize) -> Result<(), BodyError>,
    ) -> Result<(), BodyError> {
        let (states, path) = (self.room.states.len(), self.room.path.len());
        follow(self, states)?;
        if self.room.states.len() == states {
            json.skip()?;
        } else {
            self.value(json, states)?;
            self.room.states.truncate(states);
            self.room.path.truncate(path);
        }
        Ok(())
    }

    fn follow_member(
        &mut self,
        states: std::ops::Range<usize>,
        key: Sent<'_>,
        place: Place,
        serial: u64,
    ) -> Result<(), BodyError> {
        let mut is_label = false;
        for at in states {
            let state = self.room.states[at];
            let node = &self.reader.trie.nodes[state.node as usize];
            if let Some(next) = node.member(key.key) {
                let stamp = &mut self.room.stamps[next as usize];
                if *stamp == serial && !key.is_repaired {
                    return Err(BodyError::DuplicateKey);
                }
                *stamp = serial;
                self.room.states.push(State { node: next, ..state });
            }
            if let Some(next) = node.any {
                let text = std::str::from_utf8(key.key).unwrap_or_default();
                let state = self.label(state, text);
                self.room.states.push(State { node: next, ..state });
                is_label = true;
            }
        }
        if is_label && key.is_repaired {
            self.note(Rule::TextRepaired, Subject::Body, place);
        }
        Ok(())
    }

    fn follow_element(&mut self, states: std::ops::Range<usize>, number: usize) {
        for at in states {
            let state = self.room.states[at];
            let node = &self.reader.trie.nodes[state.node as usize];
            let next = [node.element(number), node.any];
            for node in next.into_iter().flatten() {
                self.room.states.push(State { node, ..state });
            }
        }
    }

    /// A state with a further key in its label.
    fn label(&mut self, state: State, key: &str) -> State {
        let path = &mut self.room.path;
        let from = path.len();
        if state.label != Span::NONE {
            path.extend_from_within(state.label.from as usize..state.label.to as usize);
            path.push('/');
        }
        let mut too_long = state.too_long || key.len() > LABEL_BYTES_MAX;
        if !too_long && state.joins {
            for character in key.chars() {
                match character {
                    '/' => path.push_str("%2F"),
                    '%' => path.push_str("%25"),
                    _ => path.push(character),
                }
            }
        } else if !too_long {
            path.push_str(key);
        }
        too_long |= path.len() - from > LABEL_BYTES_MAX;
        State {
            label: Span::of(from, path.len()),
            too_long,
            ..state
        }
    }

    pub(super) fn note(&mut self, rule: Rule, subject: Subject<'_>, place: Place) {
        self.sink.note(Note {
            rule,
            subject,
            place: Some(place),
        });
    }
}
