//! Our images against the C++ `DataSketches` library, by its Python package.
//!
//! Runs where `HIGHWATER_PYTHON` names a Python interpreter that has the package `datasketches`; else it is left out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sketch::{UserSketch, coupon_of};

/// Around every change of form, and well beyond.
const SIZES: [usize; 14] = [0, 1, 7, 8, 9, 24, 25, 100, 383, 384, 385, 1_000, 10_000, 100_000];

struct Case {
    name: String,
    sketch: UserSketch,
}

impl Case {
    fn new(name: String, ids: impl Iterator<Item = String>, folder: &Path) -> Self {
        let (mut sketch, mut lines) = (UserSketch::new(), String::new());
        for id in ids {
            sketch.extend(coupon_of(&id));
            lines.push_str(&id);
            lines.push('\n');
        }
        fs::write(folder.join(format!("{name}.ids")), lines).expect("a file of ids");
        fs::write(folder.join(format!("{name}.ours.hll")), sketch.to_image()).expect("a file of an image");
        Self { name, sketch }
    }

    fn read(&self, folder: &Path, which: &str) -> Vec<u8> {
        fs::read(folder.join(format!("{}.{which}.hll", self.name))).expect("Python wrote it")
    }
}

fn cases(folder: &Path) -> Vec<Case> {
    let plain = SIZES.into_iter().map(|size| {
        let ids = (0..size).map(|i| format!("client-{i}"));
        Case::new(format!("plain-{size}"), ids, folder)
    });
    let foreign = SIZES.into_iter().map(|size| {
        let ids = (0..size).map(|i| format!("клиент-{i}-é-日本語-🦊"));
        Case::new(format!("foreign-{size}"), ids, folder)
    });
    plain.chain(foreign).collect()
}

/// What Python prints for each case: its estimates of our image, of its own union, and of the union of both.
fn estimates_by_python(python: &str, folder: &Path) -> Vec<(String, [f64; 3])> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop.py");
    let output = Command::new(python)
        .arg(script)
        .arg(folder)
        .output()
        .expect("HIGHWATER_PYTHON runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).expect("Python prints UTF-8");
    let parse = |line: &str| {
        let mut fields = line.split(' ');
        let name = fields.next().expect("a name").to_owned();
        let numbers: Vec<f64> = fields.map(|field| field.parse().expect("an estimate")).collect();
        (name, numbers.try_into().expect("three estimates"))
    };
    lines.lines().map(parse).collect()
}

fn scratch_folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("interop-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a scratch folder");
    folder
}

fn assert_near(a: f64, b: f64, what: &str) {
    assert!(
        (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
        "{what}: {a} and {b}"
    );
}

#[test]
fn the_cpp_library_reads_our_images_and_we_read_its() {
    let Ok(python) = std::env::var("HIGHWATER_PYTHON") else {
        return println!("left out: HIGHWATER_PYTHON names no Python that has the package datasketches");
    };
    let folder = scratch_folder();
    let cases = cases(&folder);
    let estimates = estimates_by_python(&python, &folder);
    assert_eq!(estimates.len(), cases.len());
    for case in &cases {
        let (name, sketch) = (case.name.as_str(), &case.sketch);
        let found = estimates.iter().find(|(found, _)| found == name);
        let [of_ours, of_union, of_both] = found.expect("a line for each case").1;
        assert_near(sketch.estimate(), of_ours, name);
        assert_near(of_ours, of_union, name);
        assert_near(of_ours, of_both, name);
        for which in ["theirs", "union"] {
            let read = UserSketch::from_image(&case.read(&folder, which)).expect("a compact image");
            assert_eq!(read.registers(), sketch.registers(), "{name} {which}");
            assert_eq!(&read, sketch, "{name} {which}");
        }
        let plain = case.read(&folder, "plain");
        if plain.len() == 4_136 {
            assert_eq!(
                plain,
                sketch.to_image(),
                "{name}: their union, updatable, is byte for byte our image"
            );
        }
    }
    fs::remove_dir_all(folder).expect("the scratch folder was ours");
}
