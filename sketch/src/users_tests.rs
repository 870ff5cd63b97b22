//! The laws of user sketches: canonical whatever the road, equal to the library's estimates, and near the truth.

use std::collections::BTreeSet;

use datasketches::hash::value::raw_bytes;
use datasketches::hll::{HllSketch, HllType};
use proptest::prelude::*;

use super::*;
use crate::coupon::{LG_K, coupon_of};

fn coupon(client: u32) -> Coupon {
    coupon_of(&format!("client-{client}")).expect("the id is not empty")
}

fn sketch_of(clients: impl IntoIterator<Item = u32>) -> UserSketch {
    let mut sketch = UserSketch::new();
    sketch.extend(clients.into_iter().map(coupon));
    sketch
}

/// What the library itself makes of the same ids, inserted one by one.
fn library_sketch_of(clients: impl IntoIterator<Item = u32>) -> HllSketch {
    let mut sketch = HllSketch::new(LG_K, HllType::Hll8).expect("12 lies within 4 and 21");
    for client in clients {
        sketch.update(raw_bytes::from_str(&format!("client-{client}")));
    }
    sketch
}

/// Counts of clients around every change of form, and well beyond.
fn any_count() -> impl Strategy<Value = u32> {
    prop_oneof![0u32..10, 20u32..27, 380u32..390, 0u32..3_000]
}

/// Unites sketches pairwise in an order given by `picks`, every other time through the bytes.
fn merged(mut sketches: Vec<UserSketch>, picks: &[prop::sample::Index]) -> UserSketch {
    let mut picks = picks.iter().cycle();
    while sketches.len() > 1 {
        let other = sketches.swap_remove(picks.next().expect("a cycle").index(sketches.len()));
        let at = picks.next().expect("a cycle").index(sketches.len());
        if sketches.len().is_multiple_of(2) {
            sketches[at].merge(&other);
        } else {
            sketches[at]
                .merge_image(&other.to_image())
                .expect("our own image");
        }
    }
    sketches.pop().unwrap_or_default()
}

#[test]
fn images_of_the_cpp_library_are_read_for_ever() {
    let images: [(u32, &[u8]); 5] = [
        (0, include_bytes!("../tests/golden/clients-0.hll")),
        (1, include_bytes!("../tests/golden/clients-1.hll")),
        (7, include_bytes!("../tests/golden/clients-7.hll")),
        (100, include_bytes!("../tests/golden/clients-100.hll")),
        (1_000, include_bytes!("../tests/golden/clients-1000.hll")),
    ];
    for (count, image) in images {
        let ours = sketch_of(0..count);
        assert_eq!(
            UserSketch::from_image(image).as_ref(),
            Ok(&ours),
            "{count} clients"
        );
        let (mut theirs, mut bytes) = (image.to_vec(), ours.to_image());
        if count == 100 {
            theirs[SET_PREAMBLE..].as_chunks_mut::<4>().0.sort_unstable();
            bytes[SET_PREAMBLE..].as_chunks_mut::<4>().0.sort_unstable();
        } else if count == 7 {
            theirs[8..].as_chunks_mut::<4>().0.sort_unstable();
            bytes[8..].as_chunks_mut::<4>().0.sort_unstable();
        }
        assert_eq!(theirs, bytes, "{count} clients");
    }
}

const SET_PREAMBLE: usize = 12;

#[test]
fn the_form_changes_at_8_and_at_385_clients() {
    for (count, length) in [
        (0, 8),
        (1, 12),
        (7, 36),
        (8, 44),
        (384, 12 + 4 * 384),
        (385, 4_136),
    ] {
        assert_eq!(sketch_of(0..count).to_image().len(), length, "{count} clients");
    }
}

#[test]
fn estimates_are_within_three_standard_errors() {
    for count in [0u32, 1, 7, 100, 384] {
        assert!(
            (sketch_of(0..count).estimate() - f64::from(count)).abs() < 0.01,
            "{count} clients"
        );
    }
    for count in [
        385u32, 1_000, 3_000, 5_000, 10_000, 30_000, 100_000, 300_000, 1_000_000,
    ] {
        let off = sketch_of(0..count).estimate() / f64::from(count) - 1.0;
        assert!(
            off.abs() < 3.0 * STANDARD_ERROR,
            "{count} clients are off by {off}"
        );
    }
}

/// Over many disjoint sets the spread of the estimates is what [`STANDARD_ERROR`] states.
#[test]
fn the_standard_error_is_the_spread_of_estimates() {
    let (sets, size) = (150u32, 10_000u32);
    let squares = (0..sets).map(|set| {
        let off = sketch_of(set * size..(set + 1) * size).estimate() / f64::from(size) - 1.0;
        off * off
    });
    let spread = (squares.sum::<f64>() / f64::from(sets)).sqrt();
    assert!(
        (0.8..1.2).contains(&(spread / STANDARD_ERROR)),
        "the spread is {spread}"
    );
}

#[test]
fn damaged_images_are_refused() {
    for count in [0, 3, 30, 400] {
        let image = sketch_of(0..count).to_image();
        for cut in 0..image.len() {
            assert!(
                UserSketch::from_image(&image[..cut]).is_err(),
                "{count} clients cut to {cut} bytes"
            );
        }
        assert!(UserSketch::from_image(&[&image[..], &[0]].concat()).is_err());
    }
}

#[test]
fn images_of_other_kinds_are_named() {
    let image = sketch_of(0..400).to_image();
    let changed = |at: usize, byte: u8| {
        let mut image = image.clone();
        image[at] = byte;
        UserSketch::from_image(&image)
    };
    assert_eq!(
        changed(2, 3),
        Err(ImageError::NotHll {
            family: 3,
            version: 1
        })
    );
    assert_eq!(changed(3, 14), Err(ImageError::LgK(14)));
    assert_eq!(changed(7, 2), Err(ImageError::RegisterType(0)));
    assert!(matches!(changed(50, 64), Err(ImageError::Damaged(_))));
    let mut gaps = sketch_of(0..3).to_image();
    gaps[5] = 0;
    assert_eq!(UserSketch::from_image(&gaps), Err(ImageError::NotCompact));
}

#[test]
fn a_refused_image_adds_nothing() {
    let mut sketch = sketch_of(0..5);
    assert!(sketch.merge_image(&[1, 2, 3]).is_err());
    assert_eq!(sketch, sketch_of(0..5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_same_clients_are_the_same_bytes_by_any_road(
        count in any_count(),
        parts in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..40), 1..7),
        homes in prop::collection::vec(0usize..7, 1..50),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 2..9),
        step in prop::sample::select(vec![1u32, 7, 11, 13]),
    ) {
        // Every client goes to one part, in some order; some go to other parts again.
        let mut sketches = vec![UserSketch::new(); parts.len()];
        for client in (0..count).map(|i| if count % step == 0 { count - 1 - i } else { i * step % count }) {
            sketches[homes[client as usize % homes.len()] % parts.len()].insert(coupon(client));
        }
        for (sketch, repeats) in sketches.iter_mut().zip(&parts) {
            if count > 0 {
                sketch.extend(repeats.iter().map(|pick| coupon(pick.index(count as usize) as u32)));
            }
        }
        let straight = sketch_of(0..count);
        let united = merged(sketches, &picks);
        prop_assert_eq!(united.to_image(), straight.to_image());
        prop_assert_eq!(united, straight);
    }

    #[test]
    fn an_image_comes_back(count in any_count()) {
        let sketch = sketch_of(0..count);
        prop_assert_eq!(UserSketch::from_image(&sketch.to_image()), Ok(sketch));
    }

    #[test]
    fn estimates_are_the_librarys_for_a_set_without_history(count in any_count()) {
        let library = library_sketch_of((0..count).rev());
        let expected = if count > 384 { library.composite_estimate() } else { library.estimate() };
        prop_assert_eq!(sketch_of(0..count).estimate(), expected);
    }

    #[test]
    fn registers_are_the_largest_values_of_the_coupons(count in any_count()) {
        let coupons: BTreeSet<Coupon> = (0..count).map(coupon).collect();
        let registers = sketch_of(0..count).registers();
        for (at, &register) in registers.iter().enumerate() {
            let slow = coupons.iter().filter(|coupon| coupon.register() == at).map(|coupon| coupon.value()).max();
            prop_assert_eq!(register, slow.unwrap_or(0));
        }
    }

    #[test]
    fn no_bytes_panic(
        noise in prop::collection::vec(any::<u8>(), 0..64),
        count in prop::sample::select(vec![0u32, 3, 8, 60, 400]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        early in prop::collection::vec((0usize..8, any::<u8>()), 0..3),
    ) {
        let mut image = sketch_of(0..count).to_image();
        for (at, byte) in changes {
            *at.get_mut(&mut image) = byte;
        }
        for (at, byte) in early {
            image[at] = byte;
        }
        for bytes in [noise, image] {
            if let Ok(sketch) = UserSketch::from_image(&bytes) {
                prop_assert!(sketch.estimate() >= 0.0);
                prop_assert_eq!(UserSketch::from_image(&sketch.to_image()), Ok(sketch));
            }
        }
    }
}
