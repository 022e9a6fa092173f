//! A manifest, whole: bytes → policies → plan → image → policies.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(source) = lrpc_compiler::read("a.yaml", bytes.to_vec()) {
        lrpc_fuzz::compile(&source);
    }
});
