//! A kept map set's bytes, as they stand behind the checksum of the state directory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lrpc_linker::MapSet;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(set) = MapSet::read(bytes) {
        let mut again = Vec::new();
        set.write(&mut again).expect("a vector takes everything");
        assert_eq!(MapSet::read(&again).as_ref(), Ok(&set));
    }
});
