//! The lines of libtest, the harness that `rustc --test` links: which test ended how, and what an executable closes with.

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It held.
    Ok,
    /// It did not.
    Failed,
    /// It was left out, as its source says.
    Ignored,
}

/// One test that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct TestResult {
    /// Its path within the executable.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Seconds that it took, where the harness tells.
    pub seconds: Option<f64>,
}

/// What an executable has said so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    /// Tests that ended, in that order.
    pub results: Vec<TestResult>,
    /// Its closing line, once it was there.
    pub closing: Option<String>,
    /// Lines in which a test says what it left out.
    pub left_out: Vec<String>,
    /// All have ended: what comes now is what they said, which may be another harness's lines.
    ended: bool,
}

impl Verdict {
    fn of(word: &str) -> Option<Self> {
        match word {
            "ok" => Some(Self::Ok),
            "FAILED" => Some(Self::Failed),
            _ if word.starts_with("ignored") => Some(Self::Ignored),
            _ => None,
        }
    }
}

impl Read {
    /// Takes the next line.
    pub fn take(&mut self, line: &str) {
        if line.starts_with("test result: ") {
            self.closing = Some(line.to_owned());
        } else if line == "successes:" || line == "failures:" {
            self.ended = true;
        } else if let Some(result) = result_of(line).filter(|_| !self.ended) {
            self.results.push(result);
        } else if line.starts_with("left out") && !self.left_out.iter().any(|known| known == line) {
            self.left_out.push(line.to_owned());
        }
    }

    /// How many ended so.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.results
            .iter()
            .filter(|result| result.verdict == verdict)
            .count()
    }
}

/// `test a::name ... ok <1.234s>`, `test a::name - should panic ... ok`.
fn result_of(line: &str) -> Option<TestResult> {
    let (name, rest) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let (word, time) = match rest.rsplit_once(" <") {
        Some((word, time)) => (word, time.strip_suffix("s>").and_then(|time| time.parse().ok())),
        None => (rest, None),
    };
    Some(TestResult {
        name: name.strip_suffix(" - should panic").unwrap_or(name).to_owned(),
        verdict: Verdict::of(word)?,
        seconds: time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_the_harness_is_understood() {
        let mut read = Read::default();
        for line in [
            "running 4 tests",
            "test a::holds ... ok <1.250s>",
            "test b - should panic ... ok",
            "test c ... FAILED <0.000s>",
            "test d ... ignored, takes minutes",
            "test e has been running for over 60 seconds",
            "failures:",
            "---- c stdout ----",
            "test of_another_process ... ok",
            "left out: there is no PostgreSQL here",
            "left out: there is no PostgreSQL here",
            "test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.25s",
        ] {
            read.take(line);
        }
        let results: Vec<_> = read
            .results
            .iter()
            .map(|result| (result.name.as_str(), result.verdict, result.seconds))
            .collect();
        let expected = [
            ("a::holds", Verdict::Ok, Some(1.25)),
            ("b", Verdict::Ok, None),
            ("c", Verdict::Failed, Some(0.0)),
            ("d", Verdict::Ignored, None),
        ];
        assert_eq!(results, expected);
        assert_eq!(read.left_out.len(), 1);
        assert!(read.closing.is_some_and(|line| line.contains("1 failed")));
    }

    #[test]
    fn what_a_test_prints_is_no_result_unless_it_looks_like_one() {
        let mut read = Read::default();
        for line in ["test", "test x", "test x ... perhaps", " test x ... ok", ""] {
            read.take(line);
        }
        assert_eq!(read, Read::default());
    }
}
