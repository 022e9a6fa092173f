//! `# lrpc: allow(code) reason`: a comment, whatever is in it, is silent, silences, or is reported; it never
//! makes an error of its own, nor anything out of a warning but its absence.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lrpc_schema::diagnostic::Severity;

fuzz_target!(|comment: &str| {
    // What ends a comment, and what no text may hold, is the business of the target `parse`.
    if comment.chars().any(|character| {
        character.is_control()
            || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    }) {
        return;
    }
    let (checked, _) = lrpc_fuzz::compile(&lrpc_fuzz::with_comment(comment));
    let codes: Vec<_> = checked.diagnostics.iter().map(|found| found.code.as_str()).collect();
    let errors = checked.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    assert!(errors.clone().all(|found| found.code == "malformed-allow"), "{codes:?}");
    match codes.as_slice() {
        [] | ["empty-selector"] => {}
        [_, _] => {
            assert!(codes.contains(&"empty-selector") && !codes.iter().all(|code| *code == "empty-selector"))
        }
        other => panic!("{other:?}"),
    }
});
