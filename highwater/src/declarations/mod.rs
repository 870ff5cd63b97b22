//! What is declared to this program by files: their texts, what these say together, what was accepted last, and when to read again.

mod difference;
mod kept;
mod limits;
mod look;
mod taken;
mod texts;
mod together;

pub(crate) use self::difference::{Difference, named};
pub(crate) use self::kept::keep;
pub(crate) use self::look::{Look, Settling};
pub(crate) use self::taken::{Refusal, Taken};
pub(crate) use self::texts::Texts;
pub(crate) use self::together::Declarations;
