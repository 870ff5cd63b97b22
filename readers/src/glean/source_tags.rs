//! The header `X-Source-Tags`: a list with commas, each tag once.

use ping::OTHER;

use super::dimensions::GleanDimension;
use super::limits::{SOURCE_TAG_BYTES_MAX, SOURCE_TAGS_MAX};
use crate::values::{Note, Rule, Subject, Values};

/// Tells the tags. Those beyond the first five different ones are left out, long ones count as `OTHER`.
pub(super) fn tell_tags<S: Values>(header: &str, sink: &mut S) {
    let dimension = GleanDimension::SourceTags.place();
    let mut told: Vec<&str> = Vec::new();
    for tag in header.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        let mut note = |rule| {
            sink.note(Note {
                rule,
                subject: Subject::Dimension(dimension),
                place: None,
            });
        };
        let is_long = tag.len() > SOURCE_TAG_BYTES_MAX;
        let tag = if is_long { OTHER } else { tag };
        if told.contains(&tag) {
            continue;
        }
        if told.len() >= SOURCE_TAGS_MAX {
            note(Rule::TooManyValues);
            continue;
        }
        if is_long {
            note(Rule::TextTooLong);
        }
        sink.listed(dimension, tag);
        told.push(tag);
    }
}
