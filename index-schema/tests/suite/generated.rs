//! The committed Rust code of the protobuf messages is what the `.proto` files say. `REGENERATE=1` writes it anew.

use std::fs;
use std::path::Path;

#[test]
fn the_generated_messages_are_those_of_the_proto_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let protos = ["record", "summary", "log", "index"]
        .map(|name| root.join(format!("proto/highwater/v1/{name}.proto")));
    let descriptors = protox::compile(protos, [root.join("proto")]).expect("the proto files compile");
    let out = tempfile::tempdir().expect("a folder");
    prost_build::Config::new()
        .out_dir(out.path())
        .bytes(["."])
        .compile_fds(descriptors)
        .expect("code is generated");
    let fresh = fs::read_to_string(out.path().join("highwater.v1.rs")).expect("one file a package");
    let committed = root.join("src/generated.rs");
    if std::env::var_os("REGENERATE").is_some() {
        fs::write(&committed, &fresh).expect("written");
    }
    let kept = fs::read_to_string(&committed).expect("src/generated.rs");
    assert!(
        kept == fresh,
        "src/generated.rs differs: run REGENERATE=1 cargo test -p index-schema"
    );
}
