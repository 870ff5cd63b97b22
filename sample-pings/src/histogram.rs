//! One histogram of one ping: values drawn by chance, and written as the browser writes them.

use crate::dice::Dice;
use crate::json::Json;
use crate::layout::Kind;
use crate::metric::Metric;

/// The bins of a histogram being filled; kept from one to the next to save the allocation.
#[derive(Default)]
pub(crate) struct Filling {
    /// (index of the bin, count), ascending, each bin once.
    bins: Vec<(usize, u64)>,
    sum: u64,
}

/// What makes a client's values of a metric unlike another's.
#[derive(Clone, Copy)]
pub(crate) struct Shift {
    /// Multiplies the values.
    pub(crate) size: f64,
    /// Multiplies how many there are.
    pub(crate) amount: f64,
}

impl Filling {
    /// Draws the values of `metric`.
    pub(crate) fn draw(&mut self, metric: &Metric, shift: Shift, dice: &mut Dice) {
        self.bins.clear();
        self.sum = 0;
        if dice.chance(0.015) {
            return;
        }
        match metric.kind {
            Kind::Flag => self.flag(dice.chance(if metric.spread > 0.65 { 0.4 } else { 0.02 })),
            Kind::Count => {
                let sum = times(metric, shift, dice);
                self.add(0, sum, 1);
            }
            Kind::Boolean => {
                if metric.spread < 0.8 {
                    self.add(0, times(metric, shift, dice), 0);
                }
                if metric.spread > 0.5 {
                    self.add(1, times(metric, shift, dice), 1);
                }
            }
            _ => self.points(metric, shift, dice),
        }
    }

    fn flag(&mut self, set: bool) {
        self.add(usize::from(set), 1, u64::from(set));
    }

    fn points(&mut self, metric: &Metric, shift: Shift, dice: &mut Dice) {
        let points = 1 + dice.log_normal(metric.points, 0.4) as u64;
        for _ in 0..points {
            let value = dice.log_normal(metric.median * shift.size, metric.spread) as u64;
            let bin = metric.bounds.partition_point(|bound| *bound <= value) - 1;
            let value = if metric.kind == Kind::Categorical {
                metric.bounds[bin]
            } else {
                value
            };
            self.add(bin, times(metric, shift, dice), value);
        }
    }

    /// `count` samples of `value` in `bin`.
    fn add(&mut self, bin: usize, count: u64, value: u64) {
        self.sum += count * value;
        match self.bins.binary_search_by_key(&bin, |(index, _)| *index) {
            Ok(place) => self.bins[place].1 += count,
            Err(place) => self.bins.insert(place, (bin, count)),
        }
    }

    /// Writes it as a member's value. Recent order: layout, bins, sum.
    pub(crate) fn write(&self, metric: &Metric, json: &mut Json) {
        json.raw(&metric.head);
        self.each_bin(metric, |bound, count| json.number_of(bound, count));
        json.close();
        json.number("sum", self.sum);
        json.close();
    }

    /// Writes it in alphabetical order, bins too: the sum comes before the bins.
    pub(crate) fn write_old(&self, metric: &Metric, json: &mut Json) {
        json.raw(&metric.old_head);
        json.push_number(self.sum);
        json.raw(",\"values\":{");
        let mut bins = Vec::with_capacity(self.bins.len() + 2);
        self.each_bin(metric, |bound, count| bins.push((bound.to_string(), count)));
        bins.sort();
        for (bound, count) in bins {
            json.number(&bound, count);
        }
        json.close();
        json.close();
    }

    /// The bins as the browser shows them: those with samples, and the empty neighbour on either side.
    fn each_bin(&self, metric: &Metric, mut each: impl FnMut(u64, u64)) {
        let (Some((first, _)), Some((last, _))) = (self.bins.first(), self.bins.last()) else {
            return;
        };
        if let Some(before) = first.checked_sub(1) {
            each(metric.bounds[before], 0);
        }
        for (bin, count) in &self.bins {
            each(metric.bounds[*bin], *count);
        }
        if let Some(after) = metric.bounds.get(last + 1) {
            each(*after, 0);
        }
    }
}

/// How often something was seen: at least once.
fn times(metric: &Metric, shift: Shift, dice: &mut Dice) -> u64 {
    1 + (metric.weight * shift.amount * -(1.0 - dice.unit()).ln()) as u64
}
