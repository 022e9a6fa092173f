//! Flow expressions of `lrpc trace`: what is read is shown in a form that is read the same, and what is not
//! is refused at a place of the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lrpc_linker::flow::Flow;

fuzz_target!(|text: &str| {
    match text.parse::<Flow>() {
        Ok(flow) => assert_eq!(flow.to_string().parse(), Ok(flow)),
        Err(error) => assert!((1..=text.chars().count() + 1).contains(&error.column), "{error:?}"),
    }
});
