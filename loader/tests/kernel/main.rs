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
    reason = "a panic is how a test fails"
)]

mod crashes;
mod generations;
mod mixes;
mod neighbours;
mod raw;
mod tampering;
mod world;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    testkit::serve_if_client();
    let arguments = Arguments::from_args();
    let skipped = std::env::var("LRPC_SKIP_KERNEL_TESTS").is_ok_and(|value| value == "1");
    let tests =
        [generations::TESTS, crashes::TESTS, mixes::TESTS, neighbours::TESTS, tampering::TESTS].concat();
    let trials = tests.into_iter().map(|(name, test)| {
        Trial::test(name, move || in_a_thread_of_its_own(test)).with_ignored_flag(skipped)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

/// A test by its name.
type Test = (&'static str, fn());

/// A sandbox changes the namespaces of its thread for good.
fn in_a_thread_of_its_own(test: fn()) -> Result<(), Failed> {
    std::thread::spawn(test).join().map_err(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Failed::from(said.unwrap_or_else(|| "the test panicked".to_owned()))
    })
}
