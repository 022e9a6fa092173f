//! Images that earlier builds wrote are read by this one, byte for byte. They are never rewritten:
//! `testdata/images/README.md` says why.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};

use lrpc_schema::image::{FORMAT, Image};

/// The images of one format, by name.
fn frozen(format: u32) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../testdata/images/v{format}"));
    let mut images: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    images.retain(|path| path.extension().is_some_and(|extension| extension == "lrpc"));
    images.sort();
    images
}

fn read(path: &Path) -> Image {
    Image::decode(fs::read(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_format_has_images_and_all_are_read() {
    for format in 1..=FORMAT {
        let images = frozen(format);
        assert!(!images.is_empty(), "format {format} has no frozen image");
        images.iter().map(|path| read(path)).for_each(drop);
    }
}

/// Other bytes for the same policies are another format, and need its number.
#[test]
fn the_newest_format_is_written_as_it_was() {
    for path in frozen(FORMAT) {
        let image = read(&path);
        let sealed = Image::seal(image.policies().to_vec(), image.allowed_addresses(), image.places());
        assert!(sealed.bytes() == fs::read(&path).unwrap(), "{} is written differently", path.display());
    }
}

#[test]
fn places_are_kept_and_in_no_digest() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/images/v1");
    let (whole, stripped) = (read(&folder.join("every-field.lrpc")), read(&folder.join("stripped.lrpc")));
    assert_eq!(whole.digest(), stripped.digest());
    assert_eq!(stripped.places(), None);
    let name = &whole.policies().iter().find(|policy| &*policy.name.name == "address-named").unwrap().name;
    let field = "spec.redirectFrontend.addressMatcher.toPorts[1].port";
    let place = whole.places().unwrap().find(name, field).unwrap();
    assert_eq!(
        (&*place.file, place.line, place.column, place.end_line, place.end_column),
        ("every-field.yaml", 41, 17, 41, 24)
    );
}
