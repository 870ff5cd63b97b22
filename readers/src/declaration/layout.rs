//! The bins of declared numbers.

use sketch::{BIN_COUNT_MAX, Layout};

use super::fault::Fault;
use super::node::{Node, Value};
use super::table::{self, Faults, Table};

/// Ends of a layout's range: exactly representable in the floating point that the formulas are defined on.
const RANGE_MAX: i64 = 1 << 53;

/// A kind of layout, and what its list of whole numbers means.
#[derive(Clone, Copy)]
enum Shape {
    Functional,
    Linear,
    Exponential,
}

const SHAPES: [(&str, Shape); 3] = [
    ("exponential", Shape::Exponential),
    ("functional", Shape::Functional),
    ("linear", Shape::Linear),
];

/// Reads `layout`.
pub(super) fn read(node: &Node, faults: &mut Faults) -> Option<Layout> {
    let table = Table::with_keys(node, "`layout`", &SHAPES.map(|(name, _)| name), faults)?;
    let [(word, numbers)] = table.entries else {
        faults.push(Fault::new(table.at, "`layout` has one key: the kind of bins"));
        return None;
    };
    let (_, shape) = SHAPES.iter().find(|(name, _)| *name == word.text)?;
    let read = table::list(numbers, "a layout", 3, faults);
    let read: Vec<i64> = read
        .iter()
        .filter_map(|item| match item.value {
            Value::Whole(number) => Some(number),
            _ => None,
        })
        .collect();
    let layout = match (shape, read.as_slice()) {
        (Shape::Functional, &[base, bins]) if (2..=1 << 32).contains(&base) && (1..=64).contains(&bins) => {
            Some(Layout::functional(base, bins))
        }
        (Shape::Linear, &[min, max, bins]) => ranged(min, max, bins, Layout::glean_linear),
        (Shape::Exponential, &[min, max, bins]) => ranged(min, max, bins, Layout::exponential),
        _ => None,
    };
    if layout.is_none() {
        faults.push(Fault::new(numbers.at, wanted(*shape)));
    }
    layout
}

fn ranged(min: i64, max: i64, bins: i64, make: fn(i64, i64, u32) -> Layout) -> Option<Layout> {
    let fits = 0 <= min && min < max && max <= RANGE_MAX && (3..=i64::from(BIN_COUNT_MAX)).contains(&bins);
    let bins = u32::try_from(bins).ok().filter(|_| fits)?;
    Some(make(min, max, bins))
}

fn wanted(shape: Shape) -> String {
    match shape {
        Shape::Functional => {
            "`functional` is [base, bins between a number and base times it], as [2, 8]; at most 64 bins"
                .to_owned()
        }
        Shape::Linear | Shape::Exponential => format!(
            "bins are [lower bound of the second, lower bound of the last, how many], as [1, 1000, 30]; 3 to {BIN_COUNT_MAX} bins, the first bound from 0 on and below the last"
        ),
    }
}
