//! The pages of the linker's findings and of an inventory's problems: the bad example raises exactly its code, the good one nothing. The
//! compiler's pages are held by its own tests; these need both crates.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;

use ipnet::IpNet;
use lrpc_compiler::{Options, Source, check, emit, parse};
use lrpc_linker::inventory::{Builder, Problem};
use lrpc_linker::{Linker, PAGES, findings, inventory};
use lrpc_schema::diagnostic::Code;

/// The flag that a page names.
fn narrow(code: &str) -> Option<Vec<IpNet>> {
    (code == "address-not-allowed").then(|| vec!["192.0.2.0/24".parse().unwrap()])
}

/// What `check --inventory` finds.
fn codes(code: Code, policy: &str, inventory: &str) -> BTreeSet<Code> {
    let checked = check(vec![parse(&Source::new("policy.yaml", policy))], &Options::default());
    assert!(checked.diagnostics.is_empty(), "{code}: {:?}", checked.diagnostics);
    let image = emit(&checked.plan.unwrap(), true);
    let mut builder = Builder::default();
    builder.add("inventory.yaml", inventory).unwrap();
    let problems = builder.problems();
    let inventory = builder.build();
    let narrow = narrow(code.as_str());
    let linker = Linker::new(&image, &inventory, narrow.as_deref());
    let nodes =
        inventory.nodes().map(|node| (node.name.to_string(), linker.link(&node.name).unwrap().findings));
    let findings = findings::across(&linker, nodes).into_iter().map(|found| found.code);
    let problems = problems.iter().map(Problem::diagnostic::<()>);
    findings.chain(problems.map(|problem| problem.code)).collect()
}

fn fences<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let begin = format!("```{language}\n");
    page.split(begin.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_bad_example_raises_the_code_and_the_good_one_nothing() {
    for page in PAGES.iter().chain(inventory::PAGES) {
        let code = page.code;
        let (policies, inventories) = (fences(page.page, "yaml policy"), fences(page.page, "yaml inventory"));
        let ([bad, good], [before, after]) = (policies.as_slice(), inventories.as_slice()) else {
            panic!("{code}: two examples of two files")
        };
        assert_eq!(codes(code, bad, before), BTreeSet::from([code]), "the bad example of {code}");
        assert_eq!(codes(code, good, after), BTreeSet::new(), "the good example of {code}");
    }
}
