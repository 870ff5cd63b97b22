//! What a process takes up at its start: what the files declare, or, where these are refused, what was accepted last.

use std::path::Path;
use std::sync::Arc;

use super::kept;
use super::limits::WORDS_MAX;
use super::texts::Texts;
use super::together::Declarations;
use crate::data::Fold;

/// What a start takes up.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) declarations: Arc<Declarations>,
    /// Why the files are not what is taken up.
    pub(crate) refusal: Option<Refusal>,
    /// The settings by which accepted texts are to be kept, where they are.
    pub(crate) kept_by: Option<Fold>,
}

/// Why files are not taken up, in words of a bounded length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) words: String,
    /// How many things are wrong.
    pub(crate) faults: u64,
}

impl Refusal {
    /// The first thing that is wrong, and how many more there are.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let all = format!("{error:#}");
        let mut lines = all.lines();
        let first = lines.next().unwrap_or_default();
        let more = lines.filter(|line| !line.trim().is_empty()).count();
        // A text of the file may stand in it: nothing of it is to move a terminal's cursor.
        let plain = |character: char| {
            if character.is_control() {
                '\u{fffd}'
            } else {
                character
            }
        };
        let mut words: String = first.chars().take(WORDS_MAX).map(plain).collect();
        if first.chars().nth(WORDS_MAX).is_some() {
            words.push('…');
        }
        if more > 0 {
            words.push_str(&format!(" (and {more} more)"));
        }
        Self {
            words,
            faults: 1 + more as u64,
        }
    }
}

impl Taken {
    /// What the files say; nothing is kept.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub(crate) fn by_files(fold: &Fold) -> anyhow::Result<Self> {
        Ok(Self {
            declarations: Arc::new(Declarations::of(Texts::read(fold, &Texts::default())?)?),
            refusal: None,
            kept_by: None,
        })
    }

    /// The same for a command on a data directory: texts that are kept there of files at the same paths follow, so that what a
    /// start goes back to is never older than what was promised last.
    pub(crate) fn keeping_on(self, fold: &Fold, data_dir: &Path) -> Self {
        let is_kept = matches!(kept::accepted(data_dir, fold), Ok(Some(_)));
        Self {
            kept_by: is_kept.then(|| fold.clone()),
            ..self
        }
    }

    /// What the files say, which is then to be kept; or what was accepted last of files at the same paths, where they are refused.
    ///
    /// # Errors
    /// All that is wrong with them, where nothing was accepted before.
    pub(crate) fn or_accepted(fold: &Fold, data_dir: &Path) -> anyhow::Result<Self> {
        let taken = match Self::by_files(fold) {
            Ok(taken) => taken,
            Err(error) => Self {
                declarations: match stood_in(fold, data_dir) {
                    Ok(Some(accepted)) => Arc::new(accepted),
                    Ok(None) => return Err(error),
                    Err(none) => return Err(error.context(format!("{none:#}"))),
                },
                refusal: Some(Refusal::of(&error)),
                kept_by: None,
            },
        };
        if let Some(refusal) = &taken.refusal {
            tracing::error!(
                refused = refusal.words,
                "declarations are refused: this start goes on with those that were accepted last"
            );
        }
        Ok(Self {
            kept_by: Some(fold.clone()),
            ..taken
        })
    }
}

fn stood_in(fold: &Fold, data_dir: &Path) -> anyhow::Result<Option<Declarations>> {
    let texts = kept::accepted(data_dir, fold)?;
    texts.map(Declarations::accepted).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_the_first_thing_and_how_many_more_and_is_bounded() {
        let words = |text: String| Refusal::of(&anyhow::anyhow!("{text}")).words;
        assert_eq!(words("a: line 1".to_owned()), "a: line 1");
        assert_eq!(
            words("a: line 1\na: line 2\nb".to_owned()),
            "a: line 1 (and 2 more)"
        );
        let long = words("é".repeat(5_000));
        assert_eq!(long.chars().count(), WORDS_MAX + 1);
        assert_eq!(words("a\u{1b}[2Jb".to_owned()), "a\u{fffd}[2Jb");
        let context = anyhow::anyhow!("denied").context("cannot read a");
        assert_eq!(Refusal::of(&context).words, "cannot read a: denied");
    }
}
