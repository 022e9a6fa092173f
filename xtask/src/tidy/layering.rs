//! What each crate must not know (`ARCHITECTURE.md`), asked of cargo's own dependency tree.

use crate::repository::{Repository, Result, output};

/// How far a forbidden crate may not come in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Not by any way.
    Anywhere,
    /// Not as a dependency of its own; another crate's use of it is its own affair.
    Direct,
}

/// One absence, and why.
struct Rule {
    package: &'static str,
    reach: Reach,
    forbidden: &'static [&'static str],
    reason: &'static str,
}

const RULES: [Rule; 5] = [
    Rule {
        package: "lrpc-schema",
        reach: Reach::Anywhere,
        forbidden: &["granit-parser", "serde-saphyr", "aya", "aya-obj", "tokio", "kube", "k8s-openapi"],
        reason: "the contracts know no YAML, no kernel and no Kubernetes client",
    },
    Rule {
        package: "lrpc-compiler",
        reach: Reach::Anywhere,
        forbidden: &[
            "lrpc-linker",
            "lrpc-loader",
            "aya",
            "aya-obj",
            "rustix",
            "tokio",
            "kube",
            "k8s-openapi",
        ],
        reason: "the compiler is a function of text and runs where there is no kernel to load into",
    },
    Rule {
        package: "lrpc-linker",
        reach: Reach::Anywhere,
        forbidden: &[
            "lrpc-compiler",
            "lrpc-loader",
            "aya",
            "aya-obj",
            "rustix",
            "tokio",
            "kube",
            "k8s-openapi",
        ],
        reason: "link is a function of an image and an inventory, on any system",
    },
    Rule {
        package: "lrpc-loader",
        reach: Reach::Anywhere,
        forbidden: &["lrpc-compiler", "tokio", "kube", "k8s-openapi"],
        reason: "the loader takes images, and a node needs no compiler",
    },
    Rule {
        package: "lrpc-linker",
        reach: Reach::Direct,
        forbidden: &["granit-parser"],
        reason: "the linker reads no policies as YAML; inventories come through serde",
    },
];

/// Asks cargo for the tree of each crate that a rule speaks of, and for the members of the workspace.
pub(super) fn check(repository: &Repository) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for rule in &RULES {
        let mut tree = repository.cargo();
        tree.args([
            "tree",
            "--locked",
            "--quiet",
            "--package",
            rule.package,
            "--edges",
            "normal",
            "--all-features",
        ]);
        tree.args(["--target", "all", "--prefix", "depth", "--format", " {p}"]);
        complaints.extend(breaches(rule, &output(&mut tree)?));
    }
    let mut members = repository.cargo();
    members.args([
        "tree",
        "--locked",
        "--quiet",
        "--workspace",
        "--depth",
        "0",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    complaints.extend(foreign_member(&output(&mut members)?));
    Ok(complaints)
}

/// The breaches of a rule in a tree whose lines are `DEPTH NAME VERSION …`.
fn breaches(rule: &Rule, tree: &str) -> Vec<String> {
    let dependencies = tree.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.parse::<usize>().ok()?, words.next()?))
    });
    let mut found: Vec<_> = dependencies
        .filter(|(depth, name)| {
            rule.forbidden.contains(name) && (rule.reach == Reach::Anywhere || *depth == 1)
        })
        .map(|(_, name)| format!("`{}` depends on `{name}`: {}", rule.package, rule.reason))
        .collect();
    found.sort();
    found.dedup();
    found
}

fn foreign_member(members: &str) -> Option<String> {
    let foreign = members.lines().any(|line| line.split_whitespace().next() == Some("lrpc-ebpf"));
    foreign.then(|| {
        "`lrpc-ebpf` is in the workspace: it is built for another target by another compiler, and its own lock \
         file is what its object was built from"
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(package: &str, reach: Reach) -> &'static Rule {
        RULES.iter().find(|rule| rule.package == package && rule.reach == reach).unwrap()
    }

    #[test]
    fn a_crate_that_comes_in_by_another_breaks_the_compilers_rule() {
        let tree =
            "0 lrpc-compiler v0.1.0 (/lrpc/compiler)\n1 helper v1.0.0\n2 tokio v1.0.0\n2 tokio v1.0.0 (*)\n";
        let found = breaches(rule("lrpc-compiler", Reach::Anywhere), tree);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("`lrpc-compiler` depends on `tokio`: "), "{found:?}");
    }

    #[test]
    fn every_rule_finds_what_it_forbids() {
        for rule in &RULES {
            for name in rule.forbidden {
                let tree = format!("0 {} v0.1.0\n1 {name} v1.0.0\n", rule.package);
                assert_eq!(breaches(rule, &tree).len(), 1, "{} and {name}", rule.package);
            }
        }
    }

    #[test]
    fn the_linker_may_come_by_a_parser_that_serde_uses() {
        let tree = "0 lrpc-linker v0.1.0\n1 serde-saphyr v2.0.0\n2 granit-parser v2.2.0\n";
        assert_eq!(breaches(rule("lrpc-linker", Reach::Direct), tree), [""; 0]);
    }

    #[test]
    fn a_name_that_begins_like_a_forbidden_one_is_another_crate() {
        let tree = "0 lrpc-compiler v0.1.0\n1 ayah v1.0.0\n";
        assert_eq!(breaches(rule("lrpc-compiler", Reach::Anywhere), tree), [""; 0]);
    }

    #[test]
    fn the_kernel_programs_stay_outside() {
        assert_eq!(foreign_member("lrpc v0.1.0 (/lrpc/cli)\nxtask v0.1.0 (/lrpc/xtask)\n"), None);
        assert!(foreign_member("lrpc v0.1.0 (/lrpc/cli)\nlrpc-ebpf v0.1.0 (/lrpc/ebpf)\n").is_some());
    }
}
