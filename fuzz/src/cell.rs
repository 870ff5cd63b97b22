//! Target: stored cells. One form for each cell and one cell for each form; adding is the same in either order.

use sketch::{Cell, has_positive_count, merge_encoded};

use crate::parts::{Input, piece};

/// Two stored cells, one after the other.
pub fn target(data: &[u8]) {
    let mut input = Input(data);
    let (first, second) = (input.piece(), input.0);
    for bytes in [data, first, second] {
        if let Ok(cell) = Cell::decode(bytes) {
            assert_eq!(cell.encode(), bytes, "one form for each cell");
            assert_eq!(has_positive_count(bytes), cell.count() > 0);
            let mut back = cell.clone();
            back.subtract(&cell);
            assert!(back.is_zero(), "what was added can be taken back");
        }
    }
    let (one, other) = (merge_encoded(first, second), merge_encoded(second, first));
    assert_eq!(
        one.is_ok(),
        Cell::decode(first).is_ok() && Cell::decode(second).is_ok()
    );
    if let (Ok(one), Ok(other)) = (one, other) {
        assert_eq!(one, other, "in either order");
        let mut sum = Cell::decode(first).expect("just decoded");
        sum.add(&Cell::decode(second).expect("just decoded"));
        assert_eq!(one, sum.encode());
        sum.subtract(&Cell::decode(second).expect("just decoded"));
        assert_eq!(sum.encode(), first);
    }
}

/// Small cells, negative ones, and the ends of all numbers.
pub fn seeds() -> Vec<Vec<u8>> {
    let cells = [
        Cell::new(1, 7, [(0, 1), (5, 2)]),
        Cell::new(-1, -7, [(0, -1), (5, -2)]),
        Cell::new(
            i64::MAX,
            i128::MAX,
            [(i64::MIN, 1), (0, i128::MIN), (i64::MAX, i128::MAX)],
        ),
    ];
    let pairs = cells.iter().flat_map(|a| cells.iter().map(move |b| (a, b)));
    pairs
        .map(|(a, b)| [piece(&a.encode()), b.encode()].concat())
        .collect()
}
