//! The ping as a whole: who sent it (`application`, `environment`, `clientId`), and its payload.

use readers::json::{Cursor, Fields, JsonError, Key, Leaf, Once};

use super::sections::Sections;
use crate::fold::dimension::Dimension;
use crate::fold::ping_error::PingError;
use crate::fold::refusal::Refusal;
use crate::fold::staged::Stage;

/// Takes a body apart into the stage, which must have been cleared.
///
/// # Errors
/// When the ping is an errored one; the stage then holds nothing of use.
pub(in crate::fold) fn read(body: &[u8], stage: &mut Stage) -> Result<(), PingError> {
    let mut json = Cursor::new(body);
    json.value(Document::at(Scope::Document, stage))?;
    json.end()?;
    stage.error.map_or(Ok(()), Err)?;
    stage.settle_dimensions();
    Ok(())
}

/// An object on the way to the ping's dimensions. Which one decides what its keys mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Document,
    Application,
    Environment,
    System,
    Os,
    Settings,
}

/// What stands under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Inner(Scope),
    Payload,
    ClientId,
    Dimension(Dimension),
}

/// The keys that are read in a place; the position is the number for [`Once`].
const fn keys_of(place: Scope) -> &'static [(&'static str, Item)] {
    match place {
        Scope::Document => &[
            ("application", Item::Inner(Scope::Application)),
            ("environment", Item::Inner(Scope::Environment)),
            ("payload", Item::Payload),
            ("clientId", Item::ClientId),
        ],
        Scope::Application => &[
            ("channel", Item::Dimension(Dimension::Channel)),
            ("version", Item::Dimension(Dimension::Version)),
            ("buildId", Item::Dimension(Dimension::BuildDate)),
            ("name", Item::Dimension(Dimension::Application)),
            ("architecture", Item::Dimension(Dimension::Architecture)),
        ],
        Scope::Environment => &[
            ("system", Item::Inner(Scope::System)),
            ("settings", Item::Inner(Scope::Settings)),
        ],
        Scope::System => &[("os", Item::Inner(Scope::Os))],
        Scope::Os => &[
            ("name", Item::Dimension(Dimension::Os)),
            ("version", Item::Dimension(Dimension::OsVersion)),
        ],
        Scope::Settings => &[("e10sEnabled", Item::Dimension(Dimension::E10s))],
    }
}

struct Document<'a> {
    place: Scope,
    stage: &'a mut Stage,
    once: Once,
}

impl<'a> Document<'a> {
    fn at(place: Scope, stage: &'a mut Stage) -> Self {
        Self {
            place,
            stage,
            once: Once::default(),
        }
    }
}

impl Document<'_> {
    /// Reads the client's id. Null is as good as absent; another kind than a text is no id.
    fn client_id(&mut self, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        match json.text_or_leaf()? {
            Ok(sent) => {
                self.note_repaired(sent.as_key());
                self.stage.note_client(&sent.text);
            }
            Err(Leaf::Null) => {}
            Err(_) => self.stage.note_client(""),
        }
        Ok(())
    }

    /// Reads a dimension's value; anything but a text leaves it empty.
    fn dimension(&mut self, dimension: Dimension, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        let read = json.text_or_leaf()?;
        let value = self.stage.dimensions.value(dimension);
        value.clear();
        if let Ok(sent) = read {
            value.push_str(&sent.text);
            self.note_repaired(sent.as_key());
        }
        Ok(())
    }

    fn note_repaired(&mut self, text: Key<'_>) {
        let repaired = i64::from(text.is_repaired);
        self.stage.refused.note(Refusal::TextRepaired, repaired);
    }
}

impl Fields for Document<'_> {
    type Done = ();

    fn entry(&mut self, key: Key<'_>, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        let keys = keys_of(self.place);
        let Some(at) = keys.iter().position(|(name, _)| *name == key.text) else {
            return json.skip();
        };
        if self.once.again(at) {
            self.stage.fail(PingError::DuplicateKey);
        }
        match keys[at].1 {
            Item::Inner(place) => json.value(Document::at(place, self.stage)),
            Item::Payload => json.value(Sections::payload(self.stage)),
            Item::ClientId => self.client_id(json),
            Item::Dimension(Dimension::E10s) => {
                let leaf = json.leaf()?;
                let text = self.stage.dimensions.value(Dimension::E10s);
                text.clear();
                if let Leaf::Bool(enabled) = leaf {
                    text.push_str(if enabled { "true" } else { "false" });
                }
                Ok(())
            }
            Item::Dimension(dimension) => self.dimension(dimension, json),
        }
    }

    fn end(self) {}

    /// Without `application`, say, its dimensions are unknown; the ping is kept.
    fn other(self, _leaf: Leaf) {
        if self.place == Scope::Document {
            self.stage.fail(PingError::NotAnObject);
        }
    }
}
