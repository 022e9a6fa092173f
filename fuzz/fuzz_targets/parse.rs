//! A manifest, whole: bytes → policies → plan → image → policies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lrpc_compiler::Source;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(source) = Source::from_bytes("a.yaml", bytes.to_vec()) {
        lrpc_fuzz::compile(&source);
    }
});
