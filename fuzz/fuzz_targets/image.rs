//! An image's bytes: as they are, and with a checksum that fits, so that what lies behind it is met too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lrpc_schema::image::Image;

fuzz_target!(|bytes: &[u8]| {
    // No fuzzer finds a checksum of 32 bytes; the seeds have one.
    let _ = Image::decode(bytes.to_vec());
    if let Ok(image) = Image::decode(lrpc_fuzz::resealed(bytes)) {
        let again = Image::seal(image.policies().to_vec(), image.allowed_addresses(), image.places());
        assert_eq!(again.digest(), image.digest(), "one set of policies has one digest");
        assert_eq!(again.policies(), image.policies());
        Image::decode(again.bytes().to_vec()).expect("what was sealed is read back");
    }
});
