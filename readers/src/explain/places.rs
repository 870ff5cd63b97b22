//! What stands where in a body: every value with its path, and the path of a place.

use crate::declaration::{Step, as_step};
use crate::json::{Cursor, JsonError};
use crate::values::Place;

/// A value, or a member with its key, that was come across.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) steps: &'a [Step],
    /// Which steps are numbers of elements.
    pub(super) elements: &'a [bool],
    pub(super) place: Place,
    /// Whether no other value lies in it.
    pub(super) is_leaf: bool,
}

/// Comes across every value of a body, what lies inside before what it lies in.
pub(super) fn visit(body: &[u8], mut seen: impl FnMut(Found<'_>)) -> Result<(), JsonError> {
    let mut json = Cursor::new(body);
    inside(&mut json, &mut (Vec::new(), Vec::new()), &mut seen)?;
    json.end()
}

fn inside(
    json: &mut Cursor<'_>,
    path: &mut (Vec<Step>, Vec<bool>),
    seen: &mut impl FnMut(Found<'_>),
) -> Result<(), JsonError> {
    let bracket = json.peek()?;
    let from = json.at();
    let mut is_leaf = true;
    match bracket {
        b'{' => {
            json.enter()?;
            let mut goes_on = !json.closes(b'}')?;
            while goes_on {
                is_leaf = false;
                json.peek()?;
                let key = json.key()?;
                let step = Step::Member(key.as_key().text.to_owned());
                below(json, path, (step, false), seen)?;
                goes_on = json.goes_on(b'}')?;
            }
        }
        b'[' => {
            json.enter()?;
            let mut number = 0_usize;
            json.elements(|json| {
                is_leaf = false;
                let step = Step::Member(number.to_string());
                number += 1;
                below(json, path, (step, true), seen)
            })?;
        }
        _ => json.skip()?,
    }
    let place = Place { from, to: json.at() };
    seen(Found {
        steps: &path.0,
        elements: &path.1,
        place,
        is_leaf,
    });
    Ok(())
}

fn below(
    json: &mut Cursor<'_>,
    path: &mut (Vec<Step>, Vec<bool>),
    (step, is_element): (Step, bool),
    seen: &mut impl FnMut(Found<'_>),
) -> Result<(), JsonError> {
    path.0.push(step);
    path.1.push(is_element);
    inside(json, path, seen)?;
    path.0.pop();
    path.1.pop();
    Ok(())
}

impl Found<'_> {
    /// Its path, in which the elements of arrays have no numbers.
    pub(super) fn in_general(&self) -> String {
        let steps = self.steps.iter().zip(self.elements);
        let steps = steps.map(|(step, is_element)| if *is_element { Step::Any } else { step.clone() });
        written(&steps.collect::<Vec<_>>())
    }
}

/// The path of what ends where a place ends, or of what it lies in: a place may begin with a key.
pub(super) fn path_at(body: &[u8], place: Place) -> String {
    let mut path = None;
    // A body that cannot be read to its end was read as far as the place.
    let _ = visit(body, |found| {
        let holds =
            found.place.to >= place.to && (found.place.from <= place.from || found.place.to == place.to);
        if holds && path.is_none() {
            path = Some(written(found.steps));
        }
    });
    path.unwrap_or_default()
}

/// A path as text.
pub(super) fn written(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        path.push('/');
        match step {
            Step::Member(key) => path.push_str(&as_step(key)),
            Step::Any => path.push('*'),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_its_path() {
        let body = br#" {"a": [1, {"x/y": "two"}], "b": {"c": {}} } "#;
        let mut found = Vec::new();
        visit(body, |each| {
            let text = String::from_utf8_lossy(&body[each.place.from..each.place.to]).into_owned();
            assert_eq!(path_at(body, each.place), written(each.steps), "{text}");
            if each.is_leaf {
                found.push((written(each.steps), text));
            }
        })
        .expect("JSON");
        let expected = [("/a/0", "1"), ("/a/1/x~1y", "\"two\""), ("/b/c", "{}")];
        assert_eq!(
            found,
            expected.map(|(path, text)| (path.to_owned(), text.to_owned()))
        );
        let key_and_value = Place { from: 12, to: 24 };
        assert_eq!(&body[12..24], br#""x/y": "two""#);
        assert_eq!(path_at(body, key_and_value), "/a/1/x~1y");
    }
}
