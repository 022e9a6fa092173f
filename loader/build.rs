//! Says which object of kernel programs is built in: the committed one, or the one that `LRPC_BPF_OBJECT`
//! names, so that CI can run the kernel tests with an object that it rebuilt itself.

use std::env;
use std::path::Path;

const VARIABLE: &str = "LRPC_BPF_OBJECT";

fn main() {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let committed =
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../ebpf/object/lrpc.bpf.o").into_os_string();
    let object = env::var_os(VARIABLE).unwrap_or_else(committed);
    println!("cargo::rerun-if-changed={}", object.display());
    println!("cargo::rustc-env={VARIABLE}={}", object.display());
}
