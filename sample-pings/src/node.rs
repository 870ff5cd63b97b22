//! JSON as a tree that keeps order, repeats and spelling: what mutations work on.

use crate::dice::Dice;

/// A value. Keys and plain values are as they stand in the text, quotes included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Plain(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Node {
    /// Reads a text that is JSON; of another one perhaps nothing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let node = read(&mut rest, 0)?;
        trim(&mut rest);
        rest.is_empty().then_some(node)
    }

    pub(crate) fn plain(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }

    /// The text, with what `space` gives before each token.
    pub(crate) fn write(&self, mut space: impl FnMut() -> &'static str) -> Vec<u8> {
        let mut text = String::new();
        self.write_into(&mut text, &mut space);
        text.into_bytes()
    }

    fn write_into(&self, text: &mut String, space: &mut impl FnMut() -> &'static str) {
        let mut token = |text: &mut String, token: &str| {
            text.push_str(space());
            text.push_str(token);
        };
        match self {
            Self::Plain(plain) => token(text, plain),
            Self::List(items) => {
                token(text, "[");
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        text.push(',');
                    }
                    item.write_into(text, space);
                }
                text.push(']');
            }
            Self::Object(members) => {
                token(text, "{");
                for (at, (key, value)) in members.iter().enumerate() {
                    if at > 0 {
                        text.push(',');
                    }
                    text.push_str(space());
                    text.push_str(key);
                    text.push_str(space());
                    text.push(':');
                    value.write_into(text, space);
                }
                text.push_str(space());
                text.push('}');
            }
        }
    }

    /// An object's members.
    ///
    /// # Panics
    /// If this is no object.
    pub(crate) fn members(&mut self) -> &mut Vec<(String, Self)> {
        match self {
            Self::Object(members) => members,
            _ => panic!("only objects are asked for members"),
        }
    }

    /// What stands under a key of an object.
    pub(crate) fn get(&mut self, key: &str) -> Option<&mut Self> {
        let Self::Object(members) = self else { return None };
        let member = members.iter_mut().find(|(name, _)| is(name, key));
        member.map(|(_, value)| value)
    }

    /// Puts a value under a key of an object.
    pub(crate) fn set(&mut self, key: &str, value: Self) {
        if let Some(held) = self.get(key) {
            *held = value;
        } else if let Self::Object(members) = self {
            members.push((format!("\"{key}\""), value));
        }
    }

    /// Changes the members of `payload`'s object of this name, which is made if need be.
    pub(crate) fn section(&mut self, name: &str, change: impl FnOnce(&mut Vec<(String, Self)>)) {
        change(self.object("payload").object(name).members());
    }

    /// The object under a key of an object, made if need be.
    fn object(&mut self, key: &str) -> &mut Self {
        if !matches!(self.get(key), Some(Self::Object(_))) {
            self.set(key, Self::Object(Vec::new()));
        }
        self.get(key).expect("an object under the key was there or made")
    }

    /// Changes one of the nodes that `wanted` takes, each as likely as any other.
    pub(crate) fn any(
        &mut self,
        dice: &mut Dice,
        wanted: impl Fn(&Self) -> bool,
        change: impl FnOnce(&mut Dice, &mut Self),
    ) {
        let mut count = 0;
        self.visit(&mut |node| {
            count += u64::from(wanted(node));
            false
        });
        if count == 0 {
            return;
        }
        let (mut left, mut change) = (dice.below(count), Some(change));
        self.visit(&mut |node| {
            if change.is_none() || !wanted(node) {
                return change.is_none();
            }
            if left > 0 {
                left -= 1;
            } else if let Some(change) = change.take() {
                change(dice, node);
            }
            change.is_none()
        });
    }

    /// Changes the members of every object.
    pub(crate) fn each_object(&mut self, change: &mut impl FnMut(&mut Vec<(String, Self)>)) {
        self.visit(&mut |node| {
            if let Self::Object(members) = node {
                change(members);
            }
            false
        });
    }

    /// Goes through all nodes, outer ones first, until `end` says so. True when it did.
    fn visit(&mut self, end: &mut impl FnMut(&mut Self) -> bool) -> bool {
        if end(self) {
            return true;
        }
        match self {
            Self::Plain(_) => false,
            Self::List(items) => items.iter_mut().any(|item| item.visit(end)),
            Self::Object(members) => members.iter_mut().any(|(_, value)| value.visit(end)),
        }
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Plain(text) if text.starts_with(|char: char| char == '-' || char.is_ascii_digit()))
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::Plain(text) if text.starts_with('"'))
    }

    pub(crate) fn is_full_object(&self) -> bool {
        matches!(self, Self::Object(members) if !members.is_empty())
    }

    pub(crate) fn is_histogram(&self) -> bool {
        matches!(self, Self::Object(members) if members.iter().any(|(key, _)| is(key, "histogram_type")))
    }

    /// Whether it is a histogram with bins.
    pub(crate) fn has_bins(&self) -> bool {
        let Self::Object(members) = self else { return false };
        let values = members.iter().find(|(key, _)| is(key, "values"));
        self.is_histogram() && values.is_some_and(|(_, values)| values.is_full_object())
    }
}

fn is(quoted: &str, key: &str) -> bool {
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) == Some(key)
}

/// Deeper texts are not read.
const DEPTH_MAX: u32 = 100;

fn read(rest: &mut &str, depth: u32) -> Option<Node> {
    trim(rest);
    match rest.as_bytes().first()? {
        b'{' | b'[' if depth > DEPTH_MAX => None,
        b'{' => {
            let mut members = Vec::new();
            *rest = &rest[1..];
            while !closes(rest, '}', members.is_empty())? {
                trim(rest);
                let key = take(rest, quoted(rest)?);
                trim(rest);
                *rest = rest.strip_prefix(':')?;
                members.push((key, read(rest, depth + 1)?));
            }
            Some(Node::Object(members))
        }
        b'[' => {
            let mut items = Vec::new();
            *rest = &rest[1..];
            while !closes(rest, ']', items.is_empty())? {
                items.push(read(rest, depth + 1)?);
            }
            Some(Node::List(items))
        }
        b'"' => Some(Node::Plain(take(rest, quoted(rest)?))),
        _ => {
            let length = rest
                .find(|char: char| !(char.is_ascii_alphanumeric() || "+-.".contains(char)))
                .unwrap_or(rest.len());
            (length > 0).then(|| Node::Plain(take(rest, length)))
        }
    }
}

/// Passes a closing bracket, or the comma before the next entry.
fn closes(rest: &mut &str, bracket: char, first: bool) -> Option<bool> {
    trim(rest);
    if let Some(behind) = rest.strip_prefix(bracket) {
        *rest = behind;
        return Some(true);
    }
    if !first {
        *rest = rest.strip_prefix(',')?;
    }
    Some(false)
}

fn trim(rest: &mut &str) {
    *rest = rest.trim_start_matches([' ', '\n', '\t', '\r']);
}

/// The length of the quoted text at the front.
fn quoted(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    (bytes.first() == Some(&b'"')).then_some(())?;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn take(rest: &mut &str, length: usize) -> String {
    let (front, behind) = rest.split_at(length);
    *rest = behind;
    front.to_owned()
}
