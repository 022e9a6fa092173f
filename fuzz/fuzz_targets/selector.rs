//! The label selectors of annotations: what is read is written in a canonical form that means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lrpc_schema::image::Selector;

fuzz_target!(|text: &str| {
    if let Some(selector) = read(text) {
        assert_eq!(read(&selector.to_string()), Some(selector), "the canonical form of {text:?}");
    }
});

fn read(text: &str) -> Option<Selector> {
    let (_, image) = lrpc_fuzz::compile(&lrpc_fuzz::with_nodes(text));
    image?.policies().first()?.nodes.clone()
}
