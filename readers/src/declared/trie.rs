//! The declared paths as a trie, which one walk over a body follows.

use crate::declaration::{Path, Step};

/// What is read at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Client,
    /// By its place among the dimensions.
    Dimension(u32),
    /// By its place among the declared metrics.
    Metric(u32),
}

/// A place that paths lead through.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// Ascending by key.
    members: Vec<Member>,
    /// Those of `members` whose key is the number of an element.
    elements: Vec<(usize, u32)>,
    pub(super) any: Option<u32>,
    pub(super) targets: Vec<Target>,
}

/// A member that paths lead through.
#[derive(Clone, Debug)]
struct Member {
    key: Box<str>,
    /// Its first eight bytes: most keys are told apart by these.
    begin: u64,
    node: u32,
}

/// The first eight bytes of a key, filled up with zeros.
#[inline]
fn begin_of(key: &[u8]) -> u64 {
    if let Some(begin) = key.first_chunk::<8>() {
        return u64::from_le_bytes(*begin);
    }
    key.iter()
        .rev()
        .fold(0, |begin, byte| begin << 8 | u64::from(*byte))
}

impl Node {
    /// Where a member leads.
    #[inline]
    pub(super) fn member(&self, key: &[u8]) -> Option<u32> {
        // A handful is the rule.
        if self.members.len() <= 16 {
            let begin = begin_of(key);
            let found = self.members.iter().find(|member| {
                member.begin == begin
                    && member.key.len() == key.len()
                    && (key.len() <= 8 || member.key.as_bytes() == key)
            });
            return found.map(|member| member.node);
        }
        let found = self
            .members
            .binary_search_by(|member| member.key.as_bytes().cmp(key));
        found.ok().map(|place| self.members[place].node)
    }

    /// Where an element leads.
    pub(super) fn element(&self, number: usize) -> Option<u32> {
        let found = self.elements.iter().find(|(element, _)| *element == number);
        found.map(|(_, node)| *node)
    }

    /// Whether paths go on below it.
    #[inline]
    pub(super) const fn goes_on(&self) -> bool {
        self.any.is_some() || !self.members.is_empty()
    }
}

/// The paths that have at most one `*`, whose key is the label as it is, and those that have more, whose keys are joined.
#[derive(Clone, Debug)]
pub(super) struct Trie {
    pub(super) nodes: Vec<Node>,
}

/// The roots, for paths with at most one `*`, and with more.
pub(super) const PLAIN: u32 = 0;
pub(super) const JOINED: u32 = 1;

impl Trie {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::default(), Node::default()],
        }
    }

    pub(super) fn insert(&mut self, path: &Path, target: Target) {
        let mut at = if path.stars() > 1 { JOINED } else { PLAIN };
        for step in path.steps() {
            at = self.step(at, step);
        }
        self.nodes[at as usize].targets.push(target);
    }

    fn step(&mut self, at: u32, step: &Step) -> u32 {
        let new = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let node = &mut self.nodes[at as usize];
        let next = match step {
            Step::Any => *node.any.get_or_insert(new),
            Step::Member(key) => match node.members.binary_search_by(|member| (*member.key).cmp(key)) {
                Ok(place) => node.members[place].node,
                Err(place) => {
                    let member = Member {
                        key: key.as_str().into(),
                        begin: begin_of(key.as_bytes()),
                        node: new,
                    };
                    node.members.insert(place, member);
                    let number: Option<usize> = key.parse().ok();
                    if let Some(number) = number.filter(|number| number.to_string() == *key) {
                        node.elements.push((number, new));
                    }
                    new
                }
            },
        };
        if next == new {
            self.nodes.push(Node::default());
        }
        next
    }
}
