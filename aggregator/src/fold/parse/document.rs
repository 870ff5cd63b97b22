//! The ping as a whole: who sent it (`application`, `environment`, `clientId`), and its payload.

use serde::de::{DeserializeSeed, MapAccess};

use super::leaf::{AnyLeaf, Leaf, Skip, Text};
use super::object::{Fields, Key, Object, Once};
use super::sections::Sections;
use crate::fold::dimension::Dimension;
use crate::fold::ping_error::PingError;
use crate::fold::staged::Stage;

/// Takes a body apart into the stage, which must have been cleared.
///
/// # Errors
/// When the ping is an errored one; the stage then holds nothing of use.
pub(in crate::fold) fn read(body: &[u8], stage: &mut Stage) -> Result<(), PingError> {
    let body = std::str::from_utf8(body).map_err(|_| PingError::NotUtf8)?;
    let mut json = serde_json::Deserializer::from_str(body);
    Object(Document::at(Place::Document, stage))
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| why(&error))?;
    stage.error.map_or(Ok(()), Err)?;
    stage.settle_dimensions();
    Ok(())
}

/// `serde_json` has no kind of its own for its depth limit, only this text.
fn why(error: &serde_json::Error) -> PingError {
    if error.to_string().starts_with("recursion limit exceeded") {
        PingError::TooDeep
    } else {
        PingError::NotJson
    }
}

/// An object on the way to the ping's dimensions. Which one decides what its keys mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
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
    Inner(Place),
    Payload,
    ClientId,
    Dimension(Dimension),
}

/// The keys that are read in a place; the position is the number for [`Once`].
const fn keys_of(place: Place) -> &'static [(&'static str, Item)] {
    match place {
        Place::Document => &[
            ("application", Item::Inner(Place::Application)),
            ("environment", Item::Inner(Place::Environment)),
            ("payload", Item::Payload),
            ("clientId", Item::ClientId),
        ],
        Place::Application => &[
            ("channel", Item::Dimension(Dimension::Channel)),
            ("version", Item::Dimension(Dimension::Version)),
            ("buildId", Item::Dimension(Dimension::BuildDate)),
            ("name", Item::Dimension(Dimension::Application)),
            ("architecture", Item::Dimension(Dimension::Architecture)),
        ],
        Place::Environment => &[
            ("system", Item::Inner(Place::System)),
            ("settings", Item::Inner(Place::Settings)),
        ],
        Place::System => &[("os", Item::Inner(Place::Os))],
        Place::Os => &[
            ("name", Item::Dimension(Dimension::Os)),
            ("version", Item::Dimension(Dimension::OsVersion)),
        ],
        Place::Settings => &[("e10sEnabled", Item::Dimension(Dimension::E10s))],
    }
}

struct Document<'a> {
    place: Place,
    stage: &'a mut Stage,
    once: Once,
}

impl<'a> Document<'a> {
    fn at(place: Place, stage: &'a mut Stage) -> Self {
        Self {
            place,
            stage,
            once: Once::default(),
        }
    }
}

impl<'de> Fields<'de> for Document<'_> {
    type Done = ();

    fn entry<A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<bool, A::Error> {
        let keys = keys_of(self.place);
        let find = Key::new(|key: &str| keys.iter().position(|(name, _)| *name == key));
        let Some(found) = map.next_key_seed(find)? else {
            return Ok(false);
        };
        let Some(at) = found else {
            map.next_value_seed(Skip)?;
            return Ok(true);
        };
        self.once.note(at, self.stage);
        match keys[at].1 {
            Item::Inner(place) => map.next_value_seed(Object(Document::at(place, self.stage)))?,
            Item::Payload => map.next_value_seed(Object(Sections::payload(self.stage)))?,
            Item::ClientId => map.next_value_seed(Text(&mut self.stage.client_id))?,
            Item::Dimension(Dimension::E10s) => {
                let leaf = map.next_value_seed(Object(AnyLeaf))?;
                let text = Dimension::E10s.of(&mut self.stage.dimensions);
                text.clear();
                if let Leaf::Bool(enabled) = leaf {
                    text.push_str(if enabled { "true" } else { "false" });
                }
            }
            Item::Dimension(dimension) => {
                map.next_value_seed(Text(dimension.of(&mut self.stage.dimensions)))?;
            }
        }
        Ok(true)
    }

    fn end(self) {}

    /// Without `application`, say, its dimensions are unknown; the ping is kept.
    fn other(self, _leaf: Leaf) {
        if self.place == Place::Document {
            self.stage.fail(PingError::NotAnObject);
        }
    }
}
