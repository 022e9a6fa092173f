//! Images that earlier builds wrote mean what they meant: `inspect` says of each what stands beside it.
//! Neither is ever rewritten; `testdata/images/README.md` says why.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn every_frozen_image_means_what_it_meant() {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/images");
    let folders = fs::read_dir(&images).unwrap().map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for folder in folders.filter(|path| path.is_dir()) {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "lrpc")) {
            let mut inspect = Command::new(env!("CARGO_BIN_EXE_lrpc"));
            let output = inspect.arg("inspect").arg(&path).args(["--format", "json"]).output().unwrap();
            assert!(
                output.status.success(),
                "{}: {}",
                path.display(),
                String::from_utf8_lossy(&output.stderr)
            );
            let expected: Value =
                serde_json::from_slice(&fs::read(path.with_extension("json")).unwrap()).unwrap();
            let found: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(found, expected, "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen} images");
}
