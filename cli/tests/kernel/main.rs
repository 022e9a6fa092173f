//! The whole tool on the running kernel: manifests are compiled, linked and applied in a sandbox, and real
//! sockets say what became of it.
//!
//! Needs root, a cgroup v2 mount and `ip`. Without them the tests fail; `LRPC_SKIP_KERNEL_TESTS=1` skips
//! them by name.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

mod clients;
mod counters;
mod diff;
mod dns;
mod doctor;
mod existing;
mod injected;
mod kiam;
mod leaks;
mod memory;
mod monitor;
mod origin;
mod pods;
mod programs;
mod redirects;
mod refusals;
mod states;
mod strangers;
mod swaps;
mod world;

use testkit::{Test, run_kernel_tests};

fn main() {
    run_kernel_tests(&[
        counters::TESTS,
        diff::TESTS,
        doctor::TESTS,
        existing::TESTS,
        injected::TESTS,
        memory::TESTS,
        monitor::TESTS,
        origin::TESTS,
        redirects::TESTS,
        swaps::TESTS,
        states::TESTS,
        refusals::TESTS,
        strangers::TESTS,
        clients::TESTS,
        kiam::TESTS,
        dns::TESTS,
        leaks::TESTS,
        programs::resolvers::TESTS,
        programs::streams::TESTS,
        programs::datagrams::TESTS,
        programs::sockets::TESTS,
    ]);
}
