//! An explained ping as text.

use std::fmt;

use super::listing::{Counted, Explained, Remark, Samples};
use super::short::short;
use crate::values::{Fate, Kind, Rule};

/// Bins that a line shows.
const BINS_SHOWN: usize = 8;

impl fmt::Display for Explained {
    /// A line for each value. What is absent is left out: another ping may have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = &self.error {
            return writeln!(f, "  cannot be read: {error}");
        }
        if let Some(client) = &self.client {
            writeln!(f, "  client        {}", short(client.as_bytes()))?;
        }
        for (name, value) in &self.dimensions {
            writeln!(f, "  dimension     {name} = {}", short(value.as_bytes()))?;
        }
        for counted in &self.counted {
            writeln!(f, "  counted       {counted}")?;
        }
        for remark in &self.remarks {
            writeln!(f, "  {remark}")?;
        }
        for (path, value) in &self.taken_out {
            writeln!(f, "  not stored    {}: {value}", short(path.as_bytes()))?;
        }
        for (path, value) in &self.undeclared {
            writeln!(f, "  not declared  {}: {value}", short(path.as_bytes()))?;
        }
        Ok(())
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metric)?;
        if let Some(label) = &self.label {
            write!(f, "[{}]", short(label.as_bytes()))?;
        }
        match &self.samples {
            Samples::Category { value, times: 1 } => write!(f, " = \"{}\"", short(value.as_bytes())),
            Samples::Category { value, times } => {
                write!(f, " = \"{}\", {times} times", short(value.as_bytes()))
            }
            Samples::Numbers { kind, sum, bins, .. } => {
                let gap = if self.unit.is_empty() { "" } else { " " };
                let amount = format!("{sum}{gap}{}", self.unit);
                let samples: i64 = bins.iter().map(|bin| bin.1).sum();
                if *kind == Kind::Number && samples == 1 {
                    let bin = bins.first().map_or(0, |bin| bin.0);
                    return write!(f, " = {amount}, in the bin from {bin}");
                }
                let s = if samples == 1 { "" } else { "s" };
                write!(f, ": {samples} sample{s}, sum {amount}, bins")?;
                for (bound, samples) in bins.iter().take(BINS_SHOWN) {
                    write!(f, " {bound}:{samples}")?;
                }
                if bins.len() > BINS_SHOWN {
                    write!(f, " and {} more", bins.len() - BINS_SHOWN)?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fate = match self.fate {
            Fate::LeftOut => "left out    ",
            Fate::Other => "as OTHER    ",
            Fate::Unknown => "as UNKNOWN  ",
            Fate::Keys => "by its keys ",
            Fate::Repaired => "repaired    ",
        };
        let (word, why) = (self.rule.word(), sentence(self.rule));
        write!(
            f,
            "{fate}  {}, {}: {word} ({why})",
            self.of,
            short(self.path.as_bytes())
        )?;
        if !self.value.is_empty() {
            write!(f, ", {}", self.value)?;
        }
        Ok(())
    }
}

/// A rule in words.
const fn sentence(rule: Rule) -> &'static str {
    match rule {
        Rule::WrongType => "it is of another type than its declaration says",
        Rule::NumberNegative => "this type is never negative",
        Rule::NumberTooLarge => "it does not fit 63 bits in its unit",
        Rule::BinNotANumber => "the bin is no number",
        Rule::BinSamplesNotANumber => "the samples of a bin are a whole number, and none is negative",
        Rule::BinTooLarge => "the bin has more samples than can be added up",
        Rule::NotADate => "a date begins like 2026-10-01",
        Rule::NoLabel => "no key is its label here, or an empty one",
        Rule::TooManySamples => "the ping has more samples than are taken",
        Rule::NotAVersion => "a version begins with digits",
        Rule::NoHost => "it is no URL with a host",
        Rule::TextTooLong => "it is longer than is taken",
        Rule::ValueNotDeclared => "it is none of those declared",
        Rule::TooManyLabels => "the metric has more labels in this ping than are taken",
        Rule::LabelTooLong => "the label is longer than is taken",
        Rule::TooManyValues => "the metric has more values in this ping than are taken",
        Rule::NameTooLong => "the name is longer than is taken",
        Rule::TooManyMetrics => "the ping has more metrics and labels than are taken",
        Rule::TooManyBins => "it has more bins than are taken",
        Rule::NotAUnit => "the unit is none that is known",
        Rule::NotAnEdge => "no bin of its layout begins there",
        Rule::LooksLikeAnId => {
            "it has the shape of an identifier, another one for every user: what shall count all the same goes into `values`"
        }
        Rule::TextRepaired => "something in it could not be read and is U+FFFD now",
    }
}
