//! The zip that `make lambda` made.

use tests::aws::Tools;

/// What a cold start has to load. Raise it on purpose only.
const ZIP_BYTES_MAX: u64 = 8_000_000;

#[test]
fn the_zip_is_small_and_runs_on_the_c_library_of_aws() {
    let Some(tools) = Tools::find_released() else {
        return;
    };
    let zip = tools.zip();
    let bytes = zip.metadata().expect("there").len();
    println!("the zip has {bytes} bytes");
    assert!(bytes <= ZIP_BYTES_MAX, "{bytes} bytes");
    let folder = tempfile::tempdir().expect("a folder");
    let bootstrap = std::fs::read(tools.bootstrap(folder.path())).expect("readable");
    // Names of versions of the C library stand in the file as they are. Amazon Linux 2023 has 2.34.
    let needed = bootstrap.windows(10).filter_map(|window| {
        let text = std::str::from_utf8(window).ok()?.strip_prefix("GLIBC_2.")?;
        text.split('\0').next()?.parse::<u32>().ok()
    });
    let newest = needed.max().expect("it is linked to the C library");
    assert!(newest <= 34, "it needs GLIBC_2.{newest}");
}
