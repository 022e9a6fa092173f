//! The kernel half of the loader on the running kernel: what a loader that dies leaves behind, who else is
//! on the hooks, and what `verify` notices.
//!
//! Needs root, a cgroup v2 mount and `ip`. Without them the tests fail; `LRPC_SKIP_KERNEL_TESTS=1` skips
//! them by name.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a panic is how a test fails; processes that tests start answer on their output, and storms are counted"
)]

mod assembly;
mod careless;
mod crashes;
mod doctor;
mod edges;
mod features;
mod generations;
mod mixes;
mod neighbours;
mod ownership;
mod races;
mod raw;
mod storm;
mod tampering;
mod verifier;
mod watch;
mod world;

use testkit::{Test, run_kernel_tests};

fn main() {
    world::serve_if_started();
    run_kernel_tests(&[
        generations::TESTS,
        crashes::TESTS,
        doctor::TESTS,
        edges::TESTS,
        features::TESTS,
        mixes::TESTS,
        neighbours::TESTS,
        ownership::TESTS,
        races::TESTS,
        storm::TESTS,
        tampering::TESTS,
        verifier::TESTS,
        watch::TESTS,
    ]);
}
