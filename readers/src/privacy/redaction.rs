//! Taking members out of a body: one walk, that copies what stays. No tree, and the same bytes for the same body and rules, for
//! ever: the digest of a plan depends on them.
//!
//! A member goes with one of the commas beside it; all else stays as it was sent, white space included. An element of an array
//! that is named by its number becomes `null`, so that those behind it stay where they are; elements that `*` stands for go.

use ping::ClientId;

use super::rules::SourceRules;
use crate::declaration::{Path, Step};
use crate::json::{Cursor, JsonError, Text};

/// Rewrites bodies, with buffers that are used again.
#[derive(Debug, Default)]
pub struct Redactor {
    out: Vec<u8>,
    active: Vec<u32>,
}

/// A body as it may be stored, and whose it was.
#[derive(Debug, PartialEq, Eq)]
pub struct Redacted<'a> {
    /// What stays.
    pub body: &'a [u8],
    /// The client, if a hash is to stand for it and the body named just one.
    pub client: Option<ClientId>,
}

/// What becomes of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    Goes,
    BecomesNull,
}

/// A key or the number of an element.
#[derive(Clone, Copy)]
enum At<'a> {
    Key(&'a str),
    Element(usize),
}

impl At<'_> {
    fn meets(self, step: &Step) -> bool {
        match (step, self) {
            (Step::Any, _) => true,
            (Step::Member(key), At::Key(sent)) => key == sent,
            (Step::Member(key), At::Element(number)) => {
                // Most keys are no numbers.
                key.as_bytes().first().is_some_and(u8::is_ascii_digit) && *key == number.to_string()
            }
        }
    }
}

impl Redactor {
    /// What may be stored of a body.
    ///
    /// # Errors
    /// When it cannot be read as JSON: then it is not known what stands where, and nothing of it may be stored.
    pub fn redact<'a>(
        &'a mut self,
        rules: &'a SourceRules,
        body: &'a [u8],
    ) -> Result<Redacted<'a>, JsonError> {
        self.out.clear();
        self.active.clear();
        let paths: Vec<&Path> = rules.drop.iter().chain(&rules.client).collect();
        self.active
            .extend(0..u32::try_from(paths.len()).unwrap_or(u32::MAX));
        let mut walk = Walk {
            body,
            drops: rules.drop.len(),
            active: &mut self.active,
            out: &mut self.out,
            done: 0,
            inside_what_goes: false,
            clients: 0,
            client: None,
            paths,
        };
        let mut json = Cursor::new(body);
        let all = 0..walk.active.len();
        walk.value(&mut json, all, 0)?;
        json.end()?;
        let (done, client) = (walk.done, walk.client);
        if done == 0 && self.out.is_empty() {
            return Ok(Redacted { body, client });
        }
        self.out.extend_from_slice(&body[done..]);
        Ok(Redacted {
            body: &self.out,
            client,
        })
    }

    /// Gives memory back that a large body took.
    pub fn shrink_to(&mut self, bytes: usize) {
        self.out.clear();
        self.out.shrink_to(bytes);
    }
}

struct Walk<'a> {
    body: &'a [u8],
    /// Those that are taken out, then that of the client.
    paths: Vec<&'a Path>,
    /// How many are taken out.
    drops: usize,
    /// The paths that lead on, a stretch for each level that the walk is in.
    active: &'a mut Vec<u32>,
    out: &'a mut Vec<u8>,
    /// So far the body is copied or left out.
    done: usize,
    inside_what_goes: bool,
    /// How many values stood where the client's id is.
    clients: u32,
    client: Option<ClientId>,
}

impl<'a> Walk<'a> {
    /// Passes a value to which these active paths lead in so many steps.
    fn value(
        &mut self,
        json: &mut Cursor<'a>,
        active: std::ops::Range<usize>,
        steps: usize,
    ) -> Result<(), JsonError> {
        if active.is_empty() {
            return json.skip();
        }
        match json.peek()? {
            b'{' => self.entries(json, b'}', active, steps),
            b'[' => self.entries(json, b']', active, steps),
            _ => json.skip(),
        }
    }

    /// Passes the members of an object, or the elements of an array.
    fn entries(
        &mut self,
        json: &mut Cursor<'a>,
        closing: u8,
        active: std::ops::Range<usize>,
        steps: usize,
    ) -> Result<(), JsonError> {
        json.enter()?;
        if json.closes(closing)? {
            return Ok(());
        }
        // Where what goes begins, as long as nothing before it stayed; else what goes takes the comma before it.
        let mut leading = None;
        let (mut stayed, mut last_end, mut number) = (false, 0, 0);
        loop {
            json.peek()?;
            let start = json.at();
            if let Some(leading) = leading.take() {
                self.cut(leading, start);
            }
            let key = (closing == b'}').then(|| json.key()).transpose()?;
            json.peek()?;
            let value = json.at();
            let at = key
                .as_ref()
                .map_or(At::Element(number), |key: &Text<'_>| At::Key(key.as_key().text));
            let fate = self.entry(json, at, active.clone(), steps)?;
            let end = json.at();
            match fate {
                Fate::Stays => stayed = true,
                Fate::BecomesNull => {
                    stayed = true;
                    self.cut(value, end);
                    if !self.inside_what_goes {
                        self.out.extend_from_slice(b"null");
                    }
                }
                Fate::Goes if stayed => self.cut(last_end, end),
                Fate::Goes => leading = Some(start),
            }
            last_end = end;
            number += 1;
            if !json.goes_on(closing)? {
                if let Some(leading) = leading {
                    self.cut(leading, last_end);
                }
                return Ok(());
            }
        }
    }

    /// Passes the value of a member or an element, and says what becomes of that.
    fn entry(
        &mut self,
        json: &mut Cursor<'a>,
        at: At<'_>,
        active: std::ops::Range<usize>,
        steps: usize,
    ) -> Result<Fate, JsonError> {
        let below = self.active.len();
        let (mut fate, mut is_client) = (Fate::Stays, false);
        for place in active {
            let path = self.active[place];
            let all = self.paths[path as usize].steps();
            let step = &all[steps];
            if !at.meets(step) {
                continue;
            }
            if steps + 1 < all.len() {
                self.active.push(path);
            } else if path as usize >= self.drops {
                is_client = true;
            } else if matches!(at, At::Element(_)) && *step != Step::Any {
                fate = if fate == Fate::Goes {
                    fate
                } else {
                    Fate::BecomesNull
                };
            } else {
                fate = Fate::Goes;
            }
        }
        if is_client {
            self.note_client(json.clone())?;
        }
        let outer = self.inside_what_goes;
        self.inside_what_goes = outer || fate != Fate::Stays;
        let end = self.active.len();
        self.value(json, below..end, steps + 1)?;
        self.inside_what_goes = outer;
        self.active.truncate(below);
        Ok(fate)
    }

    /// Reads the id of the client ahead. Two ids are nobody's: which one would be the reader's guess.
    fn note_client(&mut self, mut ahead: Cursor<'a>) -> Result<(), JsonError> {
        let sent = ahead.text_or_leaf()?;
        self.clients += 1;
        self.client = sent
            .ok()
            .filter(|_| self.clients == 1)
            .and_then(|sent| ClientId::parse(&sent.text).ok());
        Ok(())
    }

    /// Copies up to `from`, and leaves out what stands up to `to`.
    fn cut(&mut self, from: usize, to: usize) {
        if !self.inside_what_goes {
            self.out.extend_from_slice(&self.body[self.done..from]);
            self.done = to;
        }
    }
}
