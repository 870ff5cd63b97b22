//! The parameters of a query string, decoded. Which of them a route knows stands with the route.

use crate::limits::{ALLOW_BYTES_MAX, PARAMETERS_MAX, QUERY_BYTES_MAX};
use crate::problem::{Problem, Reason};

/// Parameters by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    values: Vec<(String, String)>,
}

/// What becomes of a parameter that comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeated {
    /// The first one counts, as in the original.
    FirstCounts,
    /// It is refused: whoever sends two means both, and would get the answer to one of them.
    Refused,
}

impl Parameters {
    /// Takes a query string (without its `?`) apart. `%XX` and `+` are decoded; what is no UTF-8 then is replaced by
    /// U+FFFD, and a `%` without two digits stands for itself.
    pub(crate) fn parse(query: &str, repeated: Repeated) -> Result<Self, Problem> {
        if query.len() > QUERY_BYTES_MAX {
            let sentence = format!(
                "The query string is longer than {QUERY_BYTES_MAX} bytes: ask for fewer dates at once."
            );
            return Err(Problem::new(Reason::TooLong, sentence));
        }
        let mut values: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode_form(name), decode_form(value));
            match (values.iter().any(|(known, _)| *known == name), repeated) {
                (false, _) => values.push((name, value)),
                (true, Repeated::FirstCounts) => {}
                (true, Repeated::Refused) => {
                    let sentence = format!(
                        "The parameter `{}` is there twice: give it once.",
                        name.escape_debug()
                    );
                    return Err(Problem::new(Reason::InvalidParameter, sentence));
                }
            }
            if values.len() > PARAMETERS_MAX {
                let sentence = format!("The query string has more than {PARAMETERS_MAX} parameters.");
                return Err(Problem::new(Reason::TooLong, sentence));
            }
        }
        Ok(Self { values })
    }

    /// All of them, in the order in which they were sent.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value, if the parameter is there at all.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.values.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The value, if it is not empty.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The values of parameters that must be given, in this order.
    pub(crate) fn required<const N: usize>(&self, names: [&str; N]) -> Result<[&str; N], Problem> {
        let missing: Vec<&str> = names
            .into_iter()
            .filter(|name| self.given(name).is_none())
            .collect();
        if missing.is_empty() {
            Ok(names.map(|name| self.get(name).unwrap_or_default()))
        } else {
            Err(Problem::missing(&missing))
        }
    }

    /// Refuses parameters that are not `known`. As in the original, the problem's `Allow` is the address without them.
    pub(crate) fn refuse_others(&self, path: &str, known: &[&str]) -> Result<(), Problem> {
        let is_known = |name: &str| known.contains(&name);
        let Some((stranger, _)) = self.values.iter().find(|(name, _)| !is_known(name)) else {
            return Ok(());
        };
        let kept: Vec<String> = self
            .values
            .iter()
            .filter(|(name, _)| is_known(name))
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        let mut allow = path.to_owned();
        if !kept.is_empty() {
            allow = format!("{path}?{}", kept.join("&"));
        }
        if allow.len() > ALLOW_BYTES_MAX {
            path.clone_into(&mut allow);
        }
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        let sentence = format!(
            "This route has no parameter `{}`; it has: {known}.",
            stranger.escape_debug()
        );
        Err(Problem {
            allow: Some(allow),
            ..Problem::new(Reason::UnknownParameter, sentence)
        })
    }
}

/// Decodes `%XX`.
pub(crate) fn decode(text: &str) -> String {
    decode_bytes(text.as_bytes())
}

/// Decodes `%XX`, and `+` as a space.
fn decode_form(text: &str) -> String {
    decode_bytes(text.replace('+', " ").as_bytes())
}

fn decode_bytes(text: &[u8]) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let byte = match after {
            [high, low, ..] if first == b'%' => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        decoded.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(decoded).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Writes everything but letters, digits and `-._~,` as `%XX`.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~,".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(query: &str) -> Parameters {
        Parameters::parse(query, Repeated::FirstCounts).expect("within the limits")
    }

    #[test]
    fn of_a_repeated_parameter_the_first_counts_or_it_is_refused() {
        let parsed = parse("a=1&b=2&a=3&&c");
        assert_eq!(
            (parsed.get("a"), parsed.get("b"), parsed.get("c"), parsed.get("d")),
            (Some("1"), Some("2"), Some(""), None)
        );
        assert_eq!(parsed.given("c"), None);
        for query in ["a=1&b=2&a=3", "a=1&a=1", "a&a=", "%61=1&a=2"] {
            let refused = Parameters::parse(query, Repeated::Refused).expect_err(query);
            assert_eq!(refused.reason, Reason::InvalidParameter);
            assert!(refused.description.contains("`a`"), "{}", refused.description);
        }
        assert!(Parameters::parse("a=1&b=1", Repeated::Refused).is_ok());
    }

    #[test]
    fn escapes_and_plus_signs_are_decoded_and_odd_ones_stand_for_themselves() {
        let parsed = parse("label=a+b%2Bc%26%e6%97%a5&x=%zz%4&y=%ff");
        assert_eq!(parsed.get("label"), Some("a b+c&日"));
        assert_eq!(parsed.get("x"), Some("%zz%4"));
        assert_eq!(parsed.get("y"), Some("\u{fffd}"));
        assert_eq!(decode("a+b%20c"), "a+b c");
    }

    #[test]
    fn too_much_is_refused() {
        let long = "a".repeat(QUERY_BYTES_MAX + 1);
        assert_eq!(
            Parameters::parse(&long, Repeated::FirstCounts)
                .expect_err("too long")
                .reason,
            Reason::TooLong
        );
        let many: Vec<String> = (0..=PARAMETERS_MAX).map(|n| format!("p{n}=")).collect();
        assert_eq!(
            Parameters::parse(&many.join("&"), Repeated::FirstCounts)
                .expect_err("too many")
                .reason,
            Reason::TooLong
        );
    }

    #[test]
    fn a_strange_parameter_is_refused_with_the_address_without_it() {
        let problem = parse("metric=A%20B&foo=1&version=4")
            .refuse_others("/x/", &["metric", "version"])
            .expect_err("foo");
        assert_eq!(problem.allow.as_deref(), Some("/x/?metric=A%20B&version=4"));
        assert!(problem.description.contains("`foo`"), "{}", problem.description);
        assert!(parse("metric=1").refuse_others("/x/", &["metric"]).is_ok());
    }

    #[test]
    fn what_is_missing_is_named() {
        let parsed = parse("version=4&dates=");
        let problem = parsed.required(["version", "dates", "metric"]).expect_err("two");
        assert!(
            problem.description.contains("dates, metric"),
            "{}",
            problem.description
        );
        assert_eq!(parsed.required(["version"]), Ok(["4"]));
    }

    proptest! {
        #[test]
        fn no_query_panics(query in "\\PC{0,200}|[%&=+0-9a-fA-F]{0,200}") {
            let _ = Parameters::parse(&query, Repeated::Refused);
        }

        #[test]
        fn what_is_encoded_reads_back(name in "\\PC{1,20}", value in "\\PC{0,40}") {
            let parsed = parse(&format!("{}={}", encode(&name), encode(&value)));
            prop_assert_eq!(parsed.get(&name), Some(value.as_str()));
        }
    }
}
