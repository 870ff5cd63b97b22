//! The cells of one metric, decoded. Pure.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use sketch::Cell;

/// By what cells of one dimension set are told apart: ids of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in super::super) struct Kind {
    pub(in super::super) process: u32,
    pub(in super::super) label: u32,
    pub(in super::super) layout: u32,
}

/// A metric's cells cannot be kept: there are too many, or their numbers are too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Unkept;

/// The cells of a metric in columns, in the order in which they are stored: by set, then by the rest of their keys.
///
/// Each bin is named by its place among all lower bounds of the metric, so that sums are additions at places. Numbers of cells are
/// small ones in nearly all metrics; a metric with others is not kept.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Stretch {
    /// What cells are told apart by, in the order met.
    kinds: Vec<Kind>,
    /// Lower bounds of bins, in the order met.
    bounds: Vec<i64>,
    cells: Vec<Columns>,
    /// Place of the bound, and samples, of each bin of each cell.
    bins: Vec<(u32, i32)>,
}

#[derive(Clone, Copy, Debug)]
struct Columns {
    set: u32,
    kind: u32,
    /// Where its bins end.
    end: u32,
    count: i32,
    sum: i64,
}

/// One cell.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct StretchCell<'a> {
    /// The place of its kind.
    pub(in super::super) kind: u32,
    pub(in super::super) set: u32,
    pub(in super::super) count: i64,
    pub(in super::super) sum: i128,
    /// Places of bounds, and samples.
    pub(in super::super) bins: &'a [(u32, i32)],
}

impl Stretch {
    /// What cells are told apart by.
    pub(in super::super) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The lower bounds by their places, in no order.
    pub(in super::super) fn bounds(&self) -> &[i64] {
        &self.bounds
    }

    /// All cells by ascending sets.
    pub(in super::super) fn cells(&self) -> impl Iterator<Item = StretchCell<'_>> {
        let mut start = 0;
        self.cells.iter().map(move |columns| {
            let end = columns.end as usize;
            let bins = &self.bins[start..end];
            start = end;
            StretchCell {
                kind: columns.kind,
                set: columns.set,
                count: columns.count.into(),
                sum: columns.sum.into(),
                bins,
            }
        })
    }

    /// One of its cells.
    pub(in super::super) fn cell(&self, cell: &StretchCell<'_>) -> Cell {
        let bins = cell
            .bins
            .iter()
            .map(|(place, samples)| (self.bounds[*place as usize], i128::from(*samples)));
        Cell::new(cell.count, cell.sum, bins)
    }

    /// How many cells there are.
    pub(in super::super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Memory that it takes.
    pub(in super::super) fn bytes(&self) -> usize {
        size_of::<Columns>() * self.cells.capacity()
            + 8 * self.bins.capacity()
            + 8 * self.bounds.capacity()
            + size_of::<Kind>() * self.kinds.capacity()
    }
}

/// Makes a stretch of cells that come in their order.
#[derive(Debug, Default)]
pub(in super::super) struct StretchBuilder {
    stretch: Stretch,
    kinds: HashMap<Kind, u32, RandomState>,
    bounds: HashMap<i64, u32, RandomState>,
}

impl StretchBuilder {
    /// Adds the next cell.
    ///
    /// # Errors
    /// [`Unkept`] when its numbers are too large.
    pub(in super::super) fn push(&mut self, set: u32, kind: Kind, cell: &Cell) -> Result<(), Unkept> {
        let Self {
            stretch,
            kinds,
            bounds,
        } = self;
        let kind = place_of(kinds, &mut stretch.kinds, kind)?;
        for (bound, samples) in cell.bins() {
            let place = place_of(bounds, &mut stretch.bounds, *bound)?;
            stretch.bins.push((place, narrow(*samples)?));
        }
        stretch.cells.push(Columns {
            set,
            kind,
            end: narrow(stretch.bins.len())?,
            count: narrow(cell.count())?,
            sum: narrow(cell.sum())?,
        });
        Ok(())
    }

    /// Bytes that it has taken so far.
    pub(in super::super) fn bytes(&self) -> usize {
        self.stretch.bytes()
    }

    /// What was made.
    pub(in super::super) fn end(self) -> Stretch {
        let mut stretch = self.stretch;
        stretch.cells.shrink_to_fit();
        stretch.bins.shrink_to_fit();
        stretch
    }
}

fn narrow<Wide, Narrow: TryFrom<Wide>>(number: Wide) -> Result<Narrow, Unkept> {
    Narrow::try_from(number).map_err(|_| Unkept)
}

/// The place of a value in a list, at whose end it is put when it is not there yet.
fn place_of<T: Copy + Eq + std::hash::Hash>(
    places: &mut HashMap<T, u32, RandomState>,
    list: &mut Vec<T>,
    value: T,
) -> Result<u32, Unkept> {
    if let Some(place) = places.get(&value) {
        return Ok(*place);
    }
    let place = narrow(list.len())?;
    list.push(value);
    places.insert(value, place);
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kind(number: u32) -> Kind {
        Kind {
            process: number % 2,
            label: number,
            layout: 1,
        }
    }

    proptest! {
        #[test]
        fn cells_are_given_back_as_they_came(
            cells in prop::collection::vec(
                (0_u32..5, -3_i64..4, any::<i64>(), prop::collection::vec((any::<i64>(), any::<i32>()), 0..9)), 0..20,
            ),
        ) {
            let cells: Vec<(u32, Cell)> = cells
                .into_iter()
                .map(|(number, count, sum, bins)| {
                    let bins = bins.into_iter().map(|(bound, samples)| (bound % 50, i128::from(samples / 9)));
                    (number, Cell::new(count, sum.into(), bins))
                })
                .collect();
            let mut builder = StretchBuilder::default();
            for (set, (number, cell)) in (7..).zip(&cells) {
                prop_assert_eq!(builder.push(set, kind(*number), cell), Ok(()));
            }
            let stretch = builder.end();
            prop_assert_eq!(stretch.len(), cells.len());
            for ((set, (number, cell)), found) in (7..).zip(&cells).zip(stretch.cells()) {
                prop_assert_eq!(found.set, set);
                prop_assert_eq!(stretch.kinds()[found.kind as usize], kind(*number));
                prop_assert_eq!(&stretch.cell(&found), cell);
            }
        }
    }

    #[test]
    fn numbers_that_are_too_large_are_not_kept() {
        let large = i128::from(i64::MAX) + 1;
        for cell in [
            Cell::new(1 << 31, 0, []),
            Cell::new(1, large, []),
            Cell::new(1, 0, [(1, 1 << 31)]),
        ] {
            assert_eq!(StretchBuilder::default().push(1, kind(1), &cell), Err(Unkept));
        }
        let largest = Cell::new((1 << 31) - 1, large - 1, [(1, (1 << 31) - 1), (2, -(1 << 31))]);
        assert_eq!(StretchBuilder::default().push(1, kind(1), &largest), Ok(()));
    }
}
