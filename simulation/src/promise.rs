//! What a world's declaration promises of its pings: what is taken out of them before they are stored, by which processes.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use disk::Disk;
use edge::{Privacy, PrivacyFolder, RuleSet};
use serde_json::Value;

use crate::dice::Dice;
use crate::found::{Chunks, Found};

/// What may be declared: nothing, what takes a member out, and what takes out another one, too. Nobody counts by either.
const DECLARED: [&str; 3] = [
    r#"{"version":1,"sources":[]}"#,
    r#"{"version":1,"sources":[{"namespace":"telemetry","document_type":"main","drop":["/payload/filling"],"daily":false}]}"#,
    r#"{"version":1,"sources":[{"namespace":"telemetry","document_type":"main","drop":["/payload/filling","/id"],"daily":false}]}"#,
];

/// What is promised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Nothing.
    #[default]
    Nothing,
    /// That something is taken out, from the first process to the last.
    Always,
    /// Each process was given one of the declarations.
    NowAndThen,
}

impl Promise {
    /// From a generator of its own, so that all else is drawn as it was.
    pub(crate) fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed, "what is promised");
        dice.one(&[Self::Nothing, Self::Nothing, Self::Always, Self::NowAndThen])
    }

    /// What is in force in a process, by what is drawn for it.
    pub(crate) fn begin(self, disk: Arc<dyn Disk>, mut dice: Dice) -> Result<Privacy, String> {
        let declared = match self {
            Self::Nothing => return Ok(Privacy::none()),
            Self::Always => DECLARED[1],
            Self::NowAndThen => dice.one(&DECLARED),
        };
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let set = RuleSet::parse(declared.as_bytes()).map_err(|error| said(&error))?;
        let folder = PrivacyFolder::open(disk, Path::new("/privacy"));
        let begun = folder.and_then(|folder| folder.begin(set.rules, None, None));
        begun.map_err(|error| said(&error))
    }

    /// What is left of a body, whatever may have been taken out of it: nothing of what is no JSON, for that is not kept where something
    /// is to be taken out.
    pub(crate) fn left_of(self, body: &[u8]) -> Cow<'_, [u8]> {
        if self == Self::Nothing {
            return Cow::Borrowed(body);
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(body) else {
            return Cow::Borrowed(&[]);
        };
        if let Some(members) = body.as_object_mut() {
            members.remove("id");
        }
        if let Some(payload) = body.get_mut("payload").and_then(Value::as_object_mut) {
            payload.remove("filling");
        }
        Cow::Owned(body.to_string().into_bytes())
    }

    /// What is stored although it was promised that it is not, in words.
    pub(crate) fn broken_by(self, chunks: &Chunks) -> Option<String> {
        if self != Self::Always {
            return None;
        }
        let all = chunks.values().flat_map(|(_, records)| records);
        let mut broken = all.filter(|record| record.uri.contains("/main/") && holds_what_goes(record));
        broken
            .next()
            .map(|record| format!("{} is stored with what is to be taken out", record.uri))
    }
}

/// Whether a record has the member that goes, or cannot be read.
fn holds_what_goes(record: &Found) -> bool {
    match serde_json::from_slice::<Value>(&record.body) {
        Ok(body) => body.pointer("/payload/filling").is_some(),
        Err(_) => !record.body.is_empty(),
    }
}
