//! Target: images of user sketches, ours or another engine's. What is read has one canonical image; uniting is
//! idempotent and the same in either order.

use sketch::{UserSketch, coupon_of};

use crate::parts::{Input, piece};

/// Two images, one after the other.
pub fn target(data: &[u8]) {
    let mut input = Input(data);
    let (first, second) = (input.piece(), input.0);
    for image in [data, first, second] {
        if let Ok(sketch) = UserSketch::from_image(image) {
            check(&sketch);
        }
    }
    if let (Ok(one), Ok(other)) = (UserSketch::from_image(first), UserSketch::from_image(second)) {
        let (mut there, mut back) = (one.clone(), other);
        there.merge_image(second).expect("it was read");
        back.merge(&one);
        assert_eq!(there, back, "in either order");
        assert_eq!(there.to_image(), back.to_image());
        check(&there);
        assert!(
            there
                .registers()
                .iter()
                .zip(one.registers().iter())
                .all(|(both, one)| both >= one)
        );
    }
}

fn check(sketch: &UserSketch) {
    let image = sketch.to_image();
    let again = UserSketch::from_image(&image).expect("what is written can be read");
    assert_eq!(&again, sketch);
    assert_eq!(again.to_image(), image, "equal sketches are equal bytes");
    let mut twice = again;
    twice.merge(sketch);
    assert_eq!(&twice, sketch, "united with itself");
    let estimate = sketch.estimate();
    assert!(estimate.is_finite() && estimate >= 0.0, "{estimate}");
}

/// No client, a list, a set, registers; each before the next.
pub fn seeds() -> Vec<Vec<u8>> {
    let image = |clients: u64| {
        let mut sketch = UserSketch::new();
        for client in 0..clients {
            let id = format!("{client:08x}-0000-4000-8000-{client:012x}");
            sketch.insert(coupon_of(&id).expect("an id"));
        }
        sketch.to_image()
    };
    let images = [0, 3, 7, 8, 40, 400].map(image);
    let pairs = images.windows(2);
    pairs
        .map(|pair| [piece(&pair[0]), pair[1].clone()].concat())
        .collect()
}
