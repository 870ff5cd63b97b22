//! The expressions of alarms: as much of Prometheus' language as the rules use. What is not known is refused.

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    Selector(Selector),
    /// A function and its arguments.
    Call(String, Vec<Self>),
    /// A sum by labels.
    Sum(Vec<String>, Box<Self>),
    Binary {
        operator: String,
        /// The labels that both sides are matched by, when they are named.
        on: Option<Vec<String>>,
        left: Box<Self>,
        right: Box<Self>,
    },
}

/// Which series, and for a range of how many seconds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Selector {
    pub(super) name: String,
    pub(super) matchers: Vec<Matcher>,
    pub(super) range: Option<f64>,
}

/// One condition on a label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Matcher {
    pub(super) label: String,
    /// Any of these; for a regular expression they are its alternatives.
    pub(super) values: Vec<String>,
    /// Whether it must be none of them.
    pub(super) is_not: bool,
}

/// Operators, those first that bind least.
const OPERATORS: [&[&str]; 4] = [&["and"], &["==", "<", ">"], &["+", "-"], &["*"]];

impl Expression {
    pub(super) fn parse(text: &str) -> Self {
        let words = words_of(text);
        let mut reader = Reader { words: &words, at: 0 };
        let expression = reader.binary(0);
        assert_eq!(
            reader.at,
            words.len(),
            "{text}: {:?} is left",
            &words[reader.at..]
        );
        expression
    }
}

/// Splits a text into names with numbers, texts with their quotes, and signs.
fn words_of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_:.".contains(c);
        let length = if first == '"' {
            rest[1..].find('"').expect("a quote at its end") + 2
        } else if is_of_name(first) {
            rest.find(|c| !is_of_name(c)).unwrap_or(rest.len())
        } else if ["==", "=~", "!~", "!="].iter().any(|sign| rest.starts_with(sign)) {
            2
        } else {
            first.len_utf8()
        };
        words.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    words
}

struct Reader<'a> {
    words: &'a [String],
    at: usize,
}

impl<'a> Reader<'a> {
    fn next(&self) -> &'a str {
        self.words.get(self.at).map_or("", String::as_str)
    }

    fn take(&mut self) -> &'a str {
        let word = self.next();
        self.at += 1;
        word
    }

    fn takes(&mut self, word: &str) -> bool {
        let is_next = self.next() == word;
        self.at += usize::from(is_next);
        is_next
    }

    fn must_take(&mut self, word: &str) {
        assert!(self.takes(word), "`{}` where `{word}` was expected", self.next());
    }

    fn binary(&mut self, level: usize) -> Expression {
        let Some(operators) = OPERATORS.get(level) else {
            return self.single();
        };
        let mut left = self.binary(level + 1);
        while operators.contains(&self.next()) {
            let operator = self.take().to_owned();
            let on = self.takes("on").then(|| self.names());
            let right = Box::new(self.binary(level + 1));
            left = Expression::Binary {
                operator,
                on,
                left: Box::new(left),
                right,
            };
        }
        left
    }

    /// `(a, b)`.
    fn names(&mut self) -> Vec<String> {
        self.must_take("(");
        let mut names = Vec::new();
        while !self.takes(")") {
            names.push(self.take().to_owned());
            self.takes(",");
        }
        names
    }

    fn single(&mut self) -> Expression {
        let word = self.take();
        if word == "(" {
            let inner = self.binary(0);
            self.must_take(")");
            return inner;
        }
        if let Ok(number) = word.parse() {
            return Expression::Number(number);
        }
        if word == "sum" {
            self.must_take("by");
            let by = self.names();
            return Expression::Sum(by, Box::new(self.single()));
        }
        assert!(
            word.starts_with(|c: char| c.is_ascii_alphabetic()),
            "`{word}` begins nothing that is known"
        );
        if self.takes("(") {
            let mut arguments = Vec::new();
            while !self.takes(")") {
                arguments.push(self.binary(0));
                self.takes(",");
            }
            return Expression::Call(word.to_owned(), arguments);
        }
        self.selector(word)
    }

    fn selector(&mut self, name: &str) -> Expression {
        let mut matchers = Vec::new();
        if self.takes("{") {
            while !self.takes("}") {
                matchers.push(self.matcher());
                self.takes(",");
            }
        }
        let range = self.takes("[").then(|| {
            let seconds = seconds(self.take());
            self.must_take("]");
            seconds
        });
        Expression::Selector(Selector {
            name: name.to_owned(),
            matchers,
            range,
        })
    }

    fn matcher(&mut self) -> Matcher {
        let (label, sign, value) = (self.take(), self.take(), self.take());
        let value = value.trim_matches('"');
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_|".contains(c);
        let values: Vec<String> = match sign {
            "=" | "!=" => vec![value.to_owned()],
            "=~" | "!~" if value.chars().all(is_plain) => value.split('|').map(str::to_owned).collect(),
            _ => panic!("{label}{sign}{value} is not known"),
        };
        Matcher {
            label: label.to_owned(),
            values,
            is_not: sign.starts_with('!'),
        }
    }
}

/// The seconds of `5m` or `6h`.
fn seconds(text: &str) -> f64 {
    let (count, unit) = text.split_at(text.len() - 1);
    let count: f64 = count.parse().expect("a number");
    match unit {
        "m" => count * 60.0,
        "h" => count * 3_600.0,
        _ => panic!("{text}: no such unit"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_bind_before_sums_and_sums_before_comparisons() {
        let text = "a + 2 * b[5m] > on (i, j) 3 and c";
        let nested = "((a + (2 * b[5m])) > on (i, j) 3) and c";
        assert_eq!(Expression::parse(text), Expression::parse(nested));
        let otherwise = "(a + 2) * b[5m] > on (i, j) 3 and c";
        assert_ne!(Expression::parse(text), Expression::parse(otherwise));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for text in ["a or b", "a{b=~\"c.*\"}", "max by (a) (b)", "a >", "-a"] {
            let parsed = std::panic::catch_unwind(|| Expression::parse(text));
            assert!(parsed.is_err(), "{text}: {parsed:?}");
        }
    }
}
