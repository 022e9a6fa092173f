//! How kernel tests are run.

use std::thread;

use libtest_mimic::{Arguments, Failed, Trial};

/// The variable that skips kernel tests by name.
const SKIP: &str = "LRPC_SKIP_KERNEL_TESTS";

/// A test by its name.
pub type Test = (&'static str, fn());

/// Runs the tests as `cargo test` asks, each in a thread of its own, since a [`Sandbox`](crate::Sandbox)
/// changes the namespaces of its thread for good. Never returns.
///
/// Without the rights the tests fail; `LRPC_SKIP_KERNEL_TESTS=1` ignores each of them by name.
pub fn run_kernel_tests(tests: &[&[Test]]) -> ! {
    crate::serve_if_client();
    let skipped = std::env::var(SKIP).is_ok_and(|value| value == "1");
    let trials = tests.concat().into_iter().map(|(name, test)| {
        Trial::test(name, move || in_a_thread_of_its_own(test)).with_ignored_flag(skipped)
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit()
}

fn in_a_thread_of_its_own(test: fn()) -> Result<(), Failed> {
    thread::spawn(test).join().map_err(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Failed::from(said.unwrap_or_else(|| "the test panicked".to_owned()))
    })
}
