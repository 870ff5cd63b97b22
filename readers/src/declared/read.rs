//! Reading one ping of a declared source.

use ping::{Submission, SubmissionDate};

use super::plan::Reader;
use super::room::Room;
use super::walk::{BodyError, Walk};
use crate::declaration::{From, UriPart};
use crate::values::Values;

/// What is known of a ping besides its body.
#[derive(Clone, Copy)]
pub struct Submitted<'a> {
    /// The UTC day of its receipt.
    pub received: SubmissionDate,
    /// The value of a header; its name is asked for in lower case.
    pub header: &'a dyn Fn(&str) -> Option<&'a str>,
    /// What its URI says; none where only the body is there.
    pub submission: Option<&'a Submission>,
}

impl Submitted<'_> {
    /// A part of the URI.
    pub(crate) fn part(&self, part: UriPart) -> Option<&str> {
        part.of(self.submission?)
    }
}

impl Reader {
    /// Tells the sink what a body holds, by the promises of [`Values`].
    ///
    /// # Errors
    /// When the whole body tells nothing: what the sink was told is then of no use.
    pub fn read(
        &self,
        body: &[u8],
        submitted: Submitted<'_>,
        room: &mut Room,
        sink: &mut impl Values,
    ) -> Result<(), BodyError> {
        room.clear(self.trie.nodes.len());
        let mut walk = Walk {
            reader: self,
            room,
            sink,
            received: submitted.received,
        };
        walk.body(body)?;
        for (place, dimension) in (0..).zip(&self.dimensions) {
            let beside = match &dimension.from {
                From::Path(_) => None,
                From::Header(name) => (submitted.header)(name),
                From::Uri(part) => submitted.part(*part),
            };
            if let Some(value) = beside {
                walk.tell(place, value, None);
            }
        }
        walk.settle();
        Ok(())
    }
}
