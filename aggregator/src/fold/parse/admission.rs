//! How a name is admitted, of whatever section.

use readers::json::Key;

use crate::fold::ping_error::PingError;
use crate::fold::refusal::Refusal;
use crate::fold::staged::Stage;
use crate::fold::vocabulary::Vocabulary;
use crate::limits::NAME_BYTES_MAX;

/// Looks at a name: counts it, refuses one that is too long, counts one that was repaired, and finds repeats by `see`. Its id, if what it stands
/// for is looked at.
pub(super) fn admit(
    key: Key<'_>,
    stage: &mut Stage,
    see: impl FnOnce(&mut Vocabulary) -> (u32, bool),
) -> Option<u32> {
    if !stage.takes_part() {
        return None;
    }
    if key.text.len() > NAME_BYTES_MAX {
        stage.refused.note(Refusal::NameTooLong, 1);
        return None;
    }
    stage.refused.note(Refusal::TextRepaired, key.is_repaired.into());
    let (id, again) = see(&mut stage.vocabulary);
    if again {
        stage.fail(PingError::DuplicateKey);
    }
    Some(id)
}
