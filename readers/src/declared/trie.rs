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
    members: Vec<(Box<str>, u32)>,
    /// Those of `members` whose key is the number of an element.
    elements: Vec<(usize, u32)>,
    pub(super) any: Option<u32>,
    pub(super) targets: Vec<Target>,
}

impl Node {
    /// Where a member leads.
    #[inline]
    pub(super) fn member(&self, key: &str) -> Option<u32> {
        // A handful is the rule, and few of them have the same length.
        if self.members.len() <= 8 {
            let found = self.members.iter().find(|(name, _)| **name == *key);
            return found.map(|(_, node)| *node);
        }
        let found = self.members.binary_search_by(|(name, _)| (**name).cmp(key));
        found.ok().map(|place| self.members[place].1)
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
            Step::Member(key) => match node.members.binary_search_by(|(name, _)| (**name).cmp(key)) {
                Ok(place) => node.members[place].1,
                Err(place) => {
                    node.members.insert(place, (key.as_str().into(), new));
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
