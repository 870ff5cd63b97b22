//! Pings as broken or hostile clients send them: a good ping, changed in one named way by a seed.
//!
//! What does not live here: what the pipeline makes of them.

use crate::dice::Dice;
use crate::node::Node;
use crate::odd_values::{
    BIN_COUNTS, BIN_KEYS, BIN_VALUES, CLIENTS, KINDS, LOOSE, NEGATIVE, NUL_KEYS, NUMBERS, RANGES, SPACES,
    YEARS,
};

/// In which way a ping was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutation {
    /// Numbers that no 64 bits, or no floating point, can hold; or that only just fit.
    NumberOutOfRange,
    /// Bins with fewer than no samples.
    NegativeBin,
    /// Bins whose key or samples are no integer as programs write it.
    OddBin,
    /// Ranges that descend, are negative, have too few ends; numbers of bins that are none.
    OddLayout,
    /// More labels under one metric than any cap allows.
    ManyLabels,
    /// Names that hold NUL and other control characters, escaped.
    NulInKey,
    /// NUL as it is, which is no JSON.
    BareNul,
    /// Texts that hold what JSON does not admit between quotes: other encodings, half a surrogate pair, odd escapes.
    LooseText,
    /// A client's id in capitals, a placeholder, or what is no id.
    OtherClient,
    /// A key twice in one object, with another value.
    DuplicateKey,
    /// Arrays and objects in each other, about as deep as is allowed, or much deeper.
    DeepNest,
    /// An object, array or text that is empty now; at times the whole document.
    Empty,
    /// Other numbers in histograms: the same document id with other content.
    OtherContent,
    /// Clocks that stand in 1970 or 2100.
    OddClock,
    /// Keys in another order.
    OtherOrder,
    /// A value of another kind.
    OtherKind,
    /// A key without its value's neighbours: members are missing.
    MissingMember,
    /// Keys written with escapes, and white space wherever it may stand.
    OtherSpelling,
    /// A few bytes changed, removed, added or cut off.
    Bytes,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::NumberOutOfRange,
        Self::NegativeBin,
        Self::OddBin,
        Self::OddLayout,
        Self::ManyLabels,
        Self::NulInKey,
        Self::BareNul,
        Self::LooseText,
        Self::OtherClient,
        Self::DuplicateKey,
        Self::DeepNest,
        Self::Empty,
        Self::OtherContent,
        Self::OddClock,
        Self::OtherOrder,
        Self::OtherKind,
        Self::MissingMember,
        Self::OtherSpelling,
        Self::Bytes,
    ];

    /// Changes a ping in this way. A text that is no JSON object has its bytes changed instead.
    pub fn apply(self, seed: u64, json: &[u8]) -> (Self, Vec<u8>) {
        let mut dice = Dice::new(seed, "mutation", self as u64);
        let document = std::str::from_utf8(json).ok().and_then(Node::parse);
        match document {
            Some(mut document @ Node::Object(_)) if self != Self::Bytes => {
                self.change(&mut dice, &mut document);
                let spaced = self == Self::OtherSpelling;
                let text = document.write(|| if spaced { dice.pick(&SPACES) } else { "" });
                let body = if self == Self::LooseText {
                    loosened(&mut dice, &text)
                } else {
                    text
                };
                (self, body)
            }
            _ => (Self::Bytes, change_bytes(&mut dice, json)),
        }
    }

    fn change(self, dice: &mut Dice, document: &mut Node) {
        match self {
            Self::NumberOutOfRange => document.any(dice, Node::is_number, |dice, node| {
                *node = Node::plain(dice.pick(&NUMBERS));
            }),
            Self::NegativeBin => bin(dice, document, |dice, bin| {
                bin.1 = Node::plain(dice.pick(&NEGATIVE));
            }),
            Self::OddBin => bin(dice, document, |dice, bin| {
                if dice.chance(0.5) {
                    bin.0 = dice.pick(&BIN_KEYS).to_owned();
                } else {
                    bin.1 = Node::plain(dice.pick(&BIN_VALUES));
                }
            }),
            Self::OddLayout => document.any(dice, Node::is_histogram, |dice, node| {
                if dice.chance(0.6) {
                    node.set("range", Node::plain(dice.pick(&RANGES)));
                } else {
                    node.set("bucket_count", Node::plain(dice.pick(&BIN_COUNTS)));
                }
            }),
            Self::ManyLabels => document.section("keyedHistograms", |section| {
                section.push(("\"MANY\"".to_owned(), many_labels(5_001 + dice.below(20))));
            }),
            Self::OtherContent => {
                for _ in 0..5 {
                    bin(dice, document, |dice, bin| {
                        bin.1 = Node::Plain(dice.below(1_000).to_string());
                    });
                }
            }
            _ => self.change_shape(dice, document),
        }
    }

    /// Changes that ask nothing of histograms.
    fn change_shape(self, dice: &mut Dice, document: &mut Node) {
        match self {
            Self::NulInKey => document.any(dice, Node::is_full_object, |dice, node| {
                let at = dice.below(node.members().len() as u64) as usize;
                node.members()[at].0 = dice.pick(&NUL_KEYS).to_owned();
            }),
            Self::BareNul => document.any(dice, Node::is_full_object, |_, node| {
                node.members()[0].0.insert(1, '\0');
            }),
            Self::LooseText => {
                for _ in 0..3 {
                    loosen(dice, document);
                }
            }
            Self::OtherClient => {
                let id = match document.get("clientId") {
                    Some(Node::Plain(id)) if dice.chance(0.5) => id.to_uppercase(),
                    _ => dice.pick(&CLIENTS).to_owned(),
                };
                document.set("clientId", Node::Plain(id));
            }
            Self::DuplicateKey => document.any(dice, Node::is_full_object, |dice, node| {
                let at = dice.below(node.members().len() as u64) as usize;
                let (key, _) = node.members()[at].clone();
                node.members().push((key, Node::plain(dice.pick(&KINDS))));
            }),
            Self::DeepNest => document.any(
                dice,
                |_| true,
                |dice, node| {
                    let depth =
                        dice.pick(&[100, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 20_000]);
                    *node = Node::Plain(format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
                },
            ),
            Self::Empty if dice.chance(0.05) => document.members().clear(),
            Self::Empty => document.any(
                dice,
                |_| true,
                |dice, node| {
                    *node = Node::plain(dice.pick(&["{}", "[]", "\"\"", "null"]));
                },
            ),
            Self::OddClock => change_clocks(dice, document),
            Self::OtherOrder => document.each_object(&mut |members| {
                for at in (1..members.len()).rev() {
                    members.swap(at, dice.below(at as u64 + 1) as usize);
                }
            }),
            Self::OtherKind => document.any(
                dice,
                |_| true,
                |dice, node| *node = Node::plain(dice.pick(&KINDS)),
            ),
            Self::MissingMember => document.any(dice, Node::is_full_object, |dice, node| {
                let at = dice.below(node.members().len() as u64) as usize;
                node.members().remove(at);
            }),
            Self::OtherSpelling => document.each_object(&mut |members| {
                for (key, _) in members {
                    if dice.chance(0.1) && key.as_bytes()[1].is_ascii_alphabetic() {
                        *key = format!("\"\\u{:04x}{}", key.as_bytes()[1], &key[2..]);
                    }
                }
            }),
            _ => {}
        }
    }
}

/// Changes a ping in one of the ways of [`Mutation`], and says in which. The same seed and ping give the same bytes.
pub fn mutate(seed: u64, json: &[u8]) -> (Mutation, Vec<u8>) {
    let mutation = Dice::new(seed, "kind of mutation", 0).pick(&Mutation::ALL);
    mutation.apply(seed, json)
}

/// Changes one bin of one histogram that has any.
fn bin(dice: &mut Dice, document: &mut Node, change: impl Fn(&mut Dice, &mut (String, Node))) {
    document.any(dice, Node::has_bins, |dice, node| {
        if let Some(values) = node.get("values") {
            let at = dice.below(values.members().len() as u64) as usize;
            change(dice, &mut values.members()[at]);
        }
    });
}

/// What stands for odd bytes as long as the ping is text.
const STAND_IN: char = '\u{10fffd}';

/// Marks the place of odd bytes: in a key, or in a text.
fn loosen(dice: &mut Dice, document: &mut Node) {
    if dice.chance(0.5) {
        document.any(dice, Node::is_full_object, |dice, node| {
            let at = dice.below(node.members().len() as u64) as usize;
            node.members()[at].0.insert(1, STAND_IN);
        });
    } else {
        document.any(dice, Node::is_text, |_, node| {
            if let Node::Plain(text) = node {
                text.insert(1, STAND_IN);
            }
        });
    }
}

/// Puts odd bytes where they were marked.
fn loosened(dice: &mut Dice, text: &[u8]) -> Vec<u8> {
    let mut stand_in = [0; 4];
    let stand_in = STAND_IN.encode_utf8(&mut stand_in).as_bytes();
    let mut body = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(4).position(|window| window == stand_in) {
        body.extend_from_slice(&rest[..at]);
        body.extend_from_slice(dice.pick(&LOOSE));
        rest = &rest[at + 4..];
    }
    body.extend_from_slice(rest);
    body
}

fn many_labels(labels: u64) -> Node {
    let histogram =
        "{\"range\":[1,2],\"bucket_count\":3,\"histogram_type\":2,\"values\":{\"0\":1},\"sum\":0}";
    let member = |n| (format!("\"{n}\""), Node::plain(histogram));
    Node::Object((0..labels).map(member).collect())
}

fn change_clocks(dice: &mut Dice, document: &mut Node) {
    let year = dice.pick(&YEARS);
    document.set("creationDate", Node::Plain(format!("\"{year}\"")));
    let build = format!("\"{}000000\"", &year[..10].replace('-', ""));
    if let Some(application) = document.get("application")
        && dice.chance(0.5)
    {
        application.set("buildId", Node::Plain(build));
    }
}

fn change_bytes(dice: &mut Dice, json: &[u8]) -> Vec<u8> {
    const ODD: &[u8] = b"{}[]\":,0-.e\\ntu \xff\0";
    let mut bytes = json.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len() as u64) as usize;
        match dice.below(4) {
            _ if bytes.is_empty() => bytes.push(dice.pick(ODD)),
            0 => {
                bytes.remove(at);
            }
            1 => bytes.insert(at, dice.pick(ODD)),
            2 => bytes[at] = dice.pick(ODD),
            _ => bytes.truncate(at + 1),
        }
    }
    bytes
}
